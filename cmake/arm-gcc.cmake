# SPDX-License-Identifier: MIT
#
# Toolchain file: bare-metal Arm with GCC (arm-none-eabi-gcc 12 or newer) and
# picolibc. Flags are not here: they travel with the targets (alula.cmake), so
# that a project with a toolchain file of its own gets them as well.

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_EXECUTABLE_SUFFIX .elf)

include("${CMAKE_CURRENT_LIST_DIR}/host-tools.cmake")
