#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Three of the mutations, so that a test that cannot fail shows early.

timeout: 900
"""
import os
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "mutants.py"
os.execv(sys.executable, [sys.executable, str(PROGRAM), "--short"])
