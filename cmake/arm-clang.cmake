# SPDX-License-Identifier: MIT
#
# Toolchain file: bare-metal Arm with Clang 19, launched by alula-clang: it has
# Clang write assembly, filters that and assembles it, since Clang ignores -B
# for this target. Links go through arm-none-eabi-gcc (tools/alula-link puts it
# in the compiler's place), which knows the multilib folders of libgcc and
# picolibc: flags for a link are GCC's.

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_EXECUTABLE_SUFFIX .elf)

include("${CMAKE_CURRENT_LIST_DIR}/host-tools.cmake")
set(CMAKE_C_COMPILER_LAUNCHER "${ALULA_TOOLS_DIR}/alula-clang")
set(CMAKE_C_COMPILER clang-19)
# The launcher filters every object, those of targets without alula::alula too:
# the flags that checks rely on therefore hold for every object as well.
set(CMAKE_C_FLAGS_INIT
  "-ffixed-r9 -fexceptions -funwind-tables -fshort-enums -frecord-command-line")
set(CMAKE_C_COMPILER_TARGET arm-none-eabi)
set(CMAKE_AR arm-none-eabi-ar CACHE STRING "archiver")
set(CMAKE_RANLIB arm-none-eabi-ranlib CACHE STRING "archive indexer")
set(CMAKE_C_LINK_EXECUTABLE
  "<CMAKE_C_COMPILER> <LINK_FLAGS> <OBJECTS> -o <TARGET> <LINK_LIBRARIES>")
