# SPDX-License-Identifier: MIT
#
# The target alula::alula and the function alula_firmware().
#
# What finite stacks need of the compiler travels with alula::alula: whoever
# links it compiles through alula-as with r9 reserved. alula_firmware() binds an
# executable to a board: processor flags, kernel library, linker script, and a
# link through tools/alula-link, which computes the kernel's stack reserve and
# refuses an image that holds unchecked code.
#
# A board is boards/<board>/board.cmake, which sets
#   ALULA_CHIP           folder under chips/
#   ALULA_CPU_FLAGS      compiler flags that name the processor (a list)
#   ALULA_RAM            bytes of RAM; a frame larger than that is an error
#   ALULA_QEMU           QEMU's arguments for it, without -kernel (a list)
#   ALULA_LINKER_SCRIPT  path, relative to the repository
#   ALULA_DRIVERS        its drivers' sources, relative to drivers/ (a list)
#
# Variables a project may set before add_subdirectory(alula):
#   ALULA_CHECKS   compiler checks in application code, as -fsanitize= takes
#                  them ("bounds,null,..."); empty for none. A failed check
#                  panics the task.

include_guard(GLOBAL)

set(ALULA_CHECKS "" CACHE STRING
  "compiler checks in application code, as -fsanitize= takes them")

find_program(ALULA_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(ALULA_PYTHON python3 REQUIRED)
find_program(ALULA_LINKER arm-none-eabi-gcc REQUIRED)

# The C library's headers, for compilers that know no specs files.
set(ALULA_LIBC_INCLUDE /usr/lib/picolibc/arm-none-eabi/include
  CACHE PATH "picolibc's headers for arm-none-eabi")

define_property(TARGET PROPERTY ALULA_BOARD BRIEF_DOCS
  "board that the target is compiled for; set by alula_firmware")
define_property(TARGET PROPERTY ALULA_CPU BRIEF_DOCS
  "processor flags of that board; set by alula_firmware")
define_property(TARGET PROPERTY ALULA_FIRST_CPU BRIEF_DOCS
  "of alula: processor flags of the first board that the project named")

# Compile flags, per compiler; the kernel's objects get them as well. The
# kernel uses no floating-point register: a task that does not either keeps
# none across a switch. It takes no part in link-time optimisation, but for a
# kernel at -Os, alone (tools/alula-link); four passes make that larger.
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  set(ALULA_STACK_FLAGS
    -ffixed-r9 -fexceptions -funwind-tables -fnon-call-exceptions
    -fno-shrink-wrap -mno-sched-prolog -fno-ipa-pure-const
    -fdisable-tree-nothrow -fdisable-rtl-nothrow -frecord-gcc-switches)
  set(ALULA_FILTER_FLAGS
    "-B${ALULA_TOOLS_DIR}/as-arm/" "SHELL:-wrapper ${ALULA_TOOLS_DIR}/cc-quiet"
    --specs=picolibc.specs "--specs=${ALULA_ROOT}/cmake/lto.specs")
  set(ALULA_KERNEL_FLAGS -mgeneral-regs-only -fno-lto)
  set(ALULA_KERNEL_LTO_FLAGS -flto -ffat-lto-objects -ftoplevel-reorder
    -fno-schedule-insns2 -fno-ira-hoist-pressure -fno-move-loop-invariants
    -fno-forward-propagate -fno-if-conversion -fno-tree-tail-merge)
elseif(CMAKE_C_COMPILER_ID STREQUAL Clang)
  set(ALULA_STACK_FLAGS
    -ffixed-r9 -fexceptions -funwind-tables -fshort-enums
    -ftls-model=local-exec
    -frecord-command-line)
  set(ALULA_FILTER_FLAGS "SHELL:-isystem ${ALULA_LIBC_INCLUDE}")
  set(ALULA_KERNEL_FLAGS -mno-implicit-float)
else()
  message(FATAL_ERROR "Alula builds with GCC or Clang for arm-none-eabi. "
    "Configure with -DCMAKE_TOOLCHAIN_FILE=${ALULA_ROOT}/cmake/arm-gcc.cmake "
    "(or arm-clang.cmake).")
endif()
list(APPEND ALULA_FILTER_FLAGS
  "SHELL:-include ${ALULA_TOOLS_DIR}/as-arm/rev.h")
set(ALULA_SECTION_FLAGS -ffunction-sections -fdata-sections
  "-ffile-prefix-map=${ALULA_ROOT}/=")

# Depths of precompiled functions, stated in files that alula-as reads.
file(GLOB ALULA_BOUNDS CONFIGURE_DEPENDS "${ALULA_ROOT}/tools/bounds/*.bounds")
file(GLOB ALULA_NOTES CONFIGURE_DEPENDS "${ALULA_ROOT}/tools/bounds/*.notes")
# What decides whether an image may be linked; a change links all again.
file(GLOB ALULA_LINK_TOOLS CONFIGURE_DEPENDS "${ALULA_ROOT}/tools/*.py"
  "${ALULA_ROOT}/tools/alula-stack" "${ALULA_ROOT}/tools/alula-order"
  "${ALULA_ROOT}/tools/alula-index"
  "${ALULA_ROOT}/arch/cortexm/*.ld")
list(TRANSFORM ALULA_BOUNDS PREPEND "-Wa,--alula-bounds="
  OUTPUT_VARIABLE ALULA_BOUNDS_FLAGS)

# Functions of the C library that are ours in every image (lib/libc, the port):
# the linker leads each call of `name`, the C library's own as well, to
# __wrap_name. An archive's order alone would leave the C library its own.
set(ALULA_WRAPPED __aeabi_read_tp malloc calloc realloc free memalign
  aligned_alloc posix_memalign malloc_usable_size vfprintf puts fputs fwrite
  qsort bsearch exit _exit abort __assert_func)
foreach(verb init close acquire try_acquire release)
  list(APPEND ALULA_WRAPPED
    __retarget_lock_${verb} __retarget_lock_${verb}_recursive)
endforeach()
list(TRANSFORM ALULA_WRAPPED PREPEND "-Wl,--wrap=" OUTPUT_VARIABLE
  ALULA_WRAP_FLAGS)

# alula_firmware() runs in its caller's scope and needs them there.
foreach(name ROOT STACK_FLAGS FILTER_FLAGS SECTION_FLAGS KERNEL_FLAGS
    KERNEL_LTO_FLAGS BOUNDS_FLAGS WRAP_FLAGS)
  set(ALULA_${name} "${ALULA_${name}}" CACHE INTERNAL "see cmake/alula.cmake")
endforeach()

# Evaluated for each target that links alula::alula: its own board's flags, or,
# in a library that names none, those of the project's first board.
set(ALULA_CPU_OF_CONSUMER "$<IF:$<BOOL:$<TARGET_PROPERTY:ALULA_CPU>>,\
$<TARGET_PROPERTY:ALULA_CPU>,$<TARGET_PROPERTY:alula,ALULA_FIRST_CPU>>")

add_library(alula INTERFACE)
add_library(alula::alula ALIAS alula)
target_include_directories(alula INTERFACE
  "${ALULA_ROOT}/include" "${ALULA_ROOT}/arch/cortexm/include")
target_compile_options(alula INTERFACE
  ${ALULA_STACK_FLAGS} ${ALULA_FILTER_FLAGS} ${ALULA_SECTION_FLAGS}
  ${ALULA_BOUNDS_FLAGS} "${ALULA_CPU_OF_CONSUMER}")
if(ALULA_CHECKS)
  target_compile_options(alula INTERFACE
    -fsanitize=${ALULA_CHECKS} -fno-sanitize-recover=all)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  # For link-time optimisation, which compiles and assembles at the link.
  target_link_options(alula INTERFACE
    ${ALULA_STACK_FLAGS} -fno-toplevel-reorder ${ALULA_FILTER_FLAGS}
    ${ALULA_BOUNDS_FLAGS})
endif()

# alula_board(<board>): the board's settings as variables of the caller; for
# soft floating point where ALULA_FLOAT is soft.
macro(alula_board board)
  if(NOT EXISTS "${ALULA_ROOT}/boards/${board}/board.cmake")
    message(FATAL_ERROR "There is no board \"${board}\": no file "
      "${ALULA_ROOT}/boards/${board}/board.cmake.")
  endif()
  include("${ALULA_ROOT}/boards/${board}/board.cmake")
  if(ALULA_FLOAT STREQUAL soft)
    list(FILTER ALULA_CPU_FLAGS EXCLUDE REGEX "^-m(float-abi|fpu)=")
    list(APPEND ALULA_CPU_FLAGS -mfloat-abi=soft)
  endif()
endmacro()

# alula_firmware(<executable> BOARD <board> [CONFIG <folder>] [LEVEL <-O..>]
#                [FLOAT soft] [OPTIONS <name>=<value>...]
#                [STACKS check] [BOUNDS <file>...] [STACK_NOTES <file>...])
#
# STACKS check: the link fails when a task's stack is smaller than its need, or has
# no bound. Without it the checks at run time suffice, and ./alula stack tells.
# BOUNDS and STACK_NOTES say of precompiled code, and of calls through pointers
# and recursion, what the tools cannot find out: docs/stack.md.
# LEVEL is the kernel's own optimisation level: -O2 (when not given) or -Os,
# at which GCC optimises the kernel as a whole in the link, unless the executable
# is itself compiled in the link (-flto).
# FLOAT soft: no FPU. The image neither switches it on nor saves its registers,
# and is compiled and linked for soft floating point.
# CONFIG is a folder with an alula_config.h, OPTIONS single settings of it:
# the kernel's sizes and counts (include/alula/config.h). Executables with the
# same board and settings share one kernel library. The executable may include
# <board.h> and drivers' headers (<uart/uart.h>).
function(alula_firmware app)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "BOARD;CONFIG;LEVEL;FLOAT;STACKS"
    "OPTIONS;BOUNDS;STACK_NOTES")
  if(NOT arg_BOARD OR arg_UNPARSED_ARGUMENTS OR
      NOT "${arg_FLOAT}" MATCHES "^(soft)?$" OR
      NOT "${arg_STACKS}" MATCHES "^(check)?$")
    message(FATAL_ERROR "use: alula_firmware(<executable> BOARD <board> "
      "[CONFIG <folder>] [LEVEL <-O..>] [FLOAT soft] "
      "[OPTIONS <name>=<value>...] [STACKS check] [BOUNDS <file>...] "
      "[STACK_NOTES <file>...])")
  endif()
  set(ALULA_FLOAT ${arg_FLOAT})
  alula_board(${arg_BOARD})

  set(kernel alula-kernel-${arg_BOARD})
  if(arg_CONFIG)
    get_filename_component(arg_CONFIG "${arg_CONFIG}" ABSOLUTE)
  endif()
  if(NOT arg_LEVEL)
    set(arg_LEVEL -O2)
  endif()
  if(arg_OPTIONS OR arg_CONFIG OR arg_FLOAT OR NOT arg_LEVEL STREQUAL -O2)
    list(SORT arg_OPTIONS)
    string(MD5 hash "${arg_OPTIONS};${arg_CONFIG};${arg_LEVEL};${arg_FLOAT}")
    string(SUBSTRING ${hash} 0 8 hash)
    string(APPEND kernel -${hash})
  endif()
  if(NOT TARGET ${kernel})
    set(ALULA_KERNEL ${kernel})
    set(ALULA_BOARD ${arg_BOARD})
    set(ALULA_OPTIONS ${arg_OPTIONS})
    set(ALULA_CONFIG ${arg_CONFIG})
    set(ALULA_LEVEL ${arg_LEVEL})
    add_subdirectory("${ALULA_ROOT}/cmake/kernel"
      "${CMAKE_BINARY_DIR}/${kernel}" EXCLUDE_FROM_ALL)
  endif()

  set(flags ${ALULA_CPU_FLAGS} -Wa,--alula-ram=${ALULA_RAM})
  get_target_property(first alula ALULA_FIRST_CPU)
  if(NOT first)
    set_target_properties(alula PROPERTIES ALULA_FIRST_CPU "${flags}")
  endif()
  string(REPLACE alula-kernel alula-drivers drivers ${kernel})
  set(launcher "${ALULA_ROOT}/tools/alula-link")
  if(arg_LEVEL STREQUAL -Os AND ALULA_KERNEL_LTO_FLAGS)
    list(APPEND launcher --kernel-lto ${arg_LEVEL})
  endif()
  if(arg_STACKS)
    list(APPEND launcher --stack --tasks)
  endif()
  foreach(file IN LISTS arg_BOUNDS)
    get_filename_component(file "${file}" ABSOLUTE)
    list(APPEND launcher --stack --bounds=${file})
    target_compile_options(${app} PRIVATE "-Wa,--alula-bounds=${file}")
    get_target_property(sources ${app} SOURCES)
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS "${file}")
    set_property(TARGET ${app} APPEND PROPERTY LINK_DEPENDS "${file}")
  endforeach()
  foreach(file IN LISTS arg_STACK_NOTES)
    get_filename_component(file "${file}" ABSOLUTE)
    list(APPEND launcher --stack --notes=${file})
    set_property(TARGET ${app} APPEND PROPERTY LINK_DEPENDS "${file}")
  endforeach()
  list(APPEND launcher "${ALULA_PYTHON}" "${ALULA_LINKER}")
  set_target_properties(${app} PROPERTIES
    ALULA_BOARD ${arg_BOARD}
    ALULA_CPU "${flags}"
    SUFFIX .elf
    C_LINKER_LAUNCHER "${launcher}" CXX_LINKER_LAUNCHER "${launcher}")
  get_filename_component(script "${ALULA_LINKER_SCRIPT}" ABSOLUTE
    BASE_DIR "${ALULA_ROOT}")
  # A group: what the C library calls of ours is found although our archives
  # stand before it.
  set_property(TARGET ${app} APPEND PROPERTY LINK_LIBRARIES
    alula::alula ${drivers} ${kernel} -Wl,--start-group $<TARGET_FILE:${drivers}>
    $<TARGET_FILE:${kernel}> -lc -lgcc -Wl,--end-group)
  set_property(TARGET ${app} APPEND PROPERTY LINK_OPTIONS
    ${flags} --specs=picolibc.specs -nostartfiles -T "${script}"
    "-L${ALULA_ROOT}" -Wl,--gc-sections -Wl,--build-id=md5
    -Wl,--fatal-warnings -Wl,-z,noexecstack ${ALULA_WRAP_FLAGS}
    "LINKER:-Map=$<TARGET_FILE:${app}>.map")
  set_property(TARGET ${app} APPEND PROPERTY LINK_DEPENDS
    "${script}" "${ALULA_ROOT}/arch/cortexm/image.ld"
    "${ALULA_ROOT}/tools/alula-link"
    ${ALULA_LINK_TOOLS} ${ALULA_BOUNDS} ${ALULA_NOTES}
    "${ALULA_ROOT}/tools/check-flags" "${ALULA_ROOT}/arch/cortexm/stack.args")
endfunction()
