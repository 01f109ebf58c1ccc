# SPDX-License-Identifier: MIT
#
# Builds the tools that the cross build itself runs (alula-as, alula-clang,
# cc-quiet) with the host's compiler, at configure time, and sets
# ALULA_TOOLS_DIR. Read by the toolchain files before any compiler is tried,
# and again by CMakeLists.txt for users with a toolchain file of their own.
#
# as-arm/rev.h is included by every compilation (alula.cmake): it is rewritten
# when a tool, or a file of stated bounds that alula-as reads, changes, so that
# each object is then filtered again.
#
# Not here: what the tools are told to do; that is alula.cmake.

get_filename_component(ALULA_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

get_property(alula_trying GLOBAL PROPERTY IN_TRY_COMPILE)
if(NOT ALULA_TOOLS_DIR AND NOT alula_trying)
  if(CMAKE_SOURCE_DIR STREQUAL ALULA_ROOT)
    set(ALULA_TOOLS_DIR "${ALULA_ROOT}/build/tools")
  else()
    set(ALULA_TOOLS_DIR "${CMAKE_BINARY_DIR}/alula-tools")
  endif()
  set(ALULA_TOOLS_DIR "${ALULA_TOOLS_DIR}"
    CACHE INTERNAL "where the host tools are built")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ALULA_TOOLS_DIR)

# alula_host_tool(<out> <source>...): compiles when a source is newer.
function(alula_host_tool out)
  set(stale FALSE)
  foreach(source IN LISTS ARGN)
    if("${source}" IS_NEWER_THAN "${out}")
      set(stale TRUE)
    endif()
  endforeach()
  if(NOT stale)
    return()
  endif()
  find_program(ALULA_HOST_CC NAMES cc gcc clang REQUIRED NO_CMAKE_FIND_ROOT_PATH)
  get_filename_component(dir "${out}" DIRECTORY)
  file(MAKE_DIRECTORY "${dir}")
  list(FILTER ARGN INCLUDE REGEX "\\.c$")
  # Built beside and renamed: another build may be running the old one.
  string(RANDOM nonce)
  execute_process(
    COMMAND "${ALULA_HOST_CC}" -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -g
      -Wall -Wextra -o "${out}.${nonce}" ${ARGN}
    RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "The host tool ${out} does not compile.")
  endif()
  file(RENAME "${out}.${nonce}" "${out}")
  alula_filter_again()
endfunction()

# alula_filter_again(): each object is compiled anew by the next build.
function(alula_filter_again)
  file(WRITE "${ALULA_TOOLS_DIR}/as-arm/rev.h"
    "/* Rewritten whenever what shapes objects has changed. */\n")
endfunction()

if(NOT alula_trying)
  file(MAKE_DIRECTORY "${ALULA_TOOLS_DIR}/as-arm")
  file(LOCK "${ALULA_TOOLS_DIR}/lock" GUARD FILE TIMEOUT 120)
  file(GLOB alula_as_sources "${ALULA_ROOT}/tools/alula-as/*.[ch]")
  alula_host_tool("${ALULA_TOOLS_DIR}/as-arm/as" ${alula_as_sources})
  # The same program under its other name launches Clang.
  file(CREATE_LINK "as-arm/as" "${ALULA_TOOLS_DIR}/alula-clang" SYMBOLIC)
  alula_host_tool("${ALULA_TOOLS_DIR}/cc-quiet" "${ALULA_ROOT}/tools/cc-quiet.c")
  file(GLOB alula_bounds "${ALULA_ROOT}/tools/bounds/*.bounds")
  foreach(bounds IN LISTS alula_bounds)
    if("${bounds}" IS_NEWER_THAN "${ALULA_TOOLS_DIR}/as-arm/rev.h")
      alula_filter_again()
    endif()
  endforeach()
  file(LOCK "${ALULA_TOOLS_DIR}/lock" RELEASE)
endif()
