# SPDX-License-Identifier: Apache-2.0
# Compiler flags of every target: exact floating point, warnings, sanitizers.
add_library(llma_flags INTERFACE)
target_include_directories(llma_flags INTERFACE ${PROJECT_SOURCE_DIR}/src
                                                ${PROJECT_SOURCE_DIR}/include)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)  # files above 2 GB
  target_compile_definitions(llma_flags INTERFACE _FILE_OFFSET_BITS=64)
endif()
if(WIN32)
  # Windows 10; wide characters; printf() as C has it.
  target_compile_definitions(
    llma_flags INTERFACE _WIN32_WINNT=0x0A00 UNICODE NOMINMAX WIN32_LEAN_AND_MEAN
                         __USE_MINGW_ANSI_STDIO=1)
  # Stacks there are aligned to 16 bytes only, which GCC forgets where it keeps
  # vectors of 32 or 64 on them: moves that need no alignment, whatever it says.
  target_compile_options(llma_flags INTERFACE -Wa,-muse-unaligned-vector-move)
endif()
# No fused multiply-add and no fast-math anywhere: docs/NUMERICS.md.
target_compile_options(
  llma_flags INTERFACE -ffp-contract=off -fno-fast-math -Wall -Wextra -Wshadow
                       -Wconversion -Wno-sign-conversion -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns falsely of vectors and strings that it inlines (its bugs 105329
  # and 105651).
  target_compile_options(llma_flags INTERFACE -Wno-stringop-overflow
                                              -Wno-stringop-overread
                                              -Wno-restrict)
  if(CMAKE_CROSSCOMPILING)  # so for some processors
    target_compile_options(llma_flags INTERFACE -Wno-array-bounds)
  endif()
endif()
if(EMSCRIPTEN)
  # Sizes are 64 bits, and compared with memory before they become size_t.
  target_compile_options(llma_flags INTERFACE -Wno-shorten-64-to-32)
endif()
if(LLMA_WERROR)
  target_compile_options(llma_flags INTERFACE -Werror)
endif()
if(LLMA_CHECKED)
  target_compile_definitions(llma_flags INTERFACE LLMA_CHECKED=1)
endif()
if(LLMA_SANITIZER)
  target_compile_options(
    llma_flags INTERFACE -fsanitize=${LLMA_SANITIZER}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(llma_flags INTERFACE -fsanitize=${LLMA_SANITIZER})
endif()

separate_arguments(llma_test_options UNIX_COMMAND "${LLMA_TEST_OPTIONS}")
include(LlmaPrecompiled)

# llma_compile_together(target): with LLMA_FAST_BUILD, several files at once, which
# takes less than half of the time. So names of functions and constants that only a
# file sees differ within a layer. A file must still include what it uses: other
# builds compile it alone. Where a file is for another processor, as in kernels,
# each is compiled alone always.
function(llma_compile_together target)
  if(LLMA_FAST_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON
                                               UNITY_BUILD_BATCH_SIZE 6)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # It takes what is in one of the files for something in a header.
      target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
    endif()
  endif()
endfunction()

# llma_add_layer(name SOURCES...): one layer. Every x_test.cc beside its
# sources must be named in llma_add_test: tests/meta/check_registration.py.
function(llma_add_layer name)
  add_library(llma_${name} STATIC ${ARGN})
  target_link_libraries(llma_${name} PUBLIC llma_flags)
  llma_compile_together(llma_${name})
  # Coverage for libFuzzer, less where branches follow from arithmetic.
  if(name MATCHES "^(cm|coder|kernels|numerics)$")
    return()
  endif()
  if(LLMA_FUZZ)
    target_compile_options(llma_${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# llma_add_test(name SOURCES... LIBS libs... [SHARDS n] [COST seconds]): one
# GoogleTest program. It knows whether an emulator or a sanitizer makes it slow, and
# may then do less. Shards of it run beside each other as tests of their own; what
# costs much starts first.
function(llma_add_test name)
  if(NOT LLMA_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "SHARDS;COST" "SOURCES;LIBS" ${ARGN})
  set(is_slow 0)
  if(CMAKE_CROSSCOMPILING OR LLMA_SANITIZER)
    set(is_slow 1)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gtest_main)
  target_compile_definitions(
    ${name} PRIVATE LLMA_TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data"
                    LLMA_IS_SLOW=${is_slow})
  target_compile_options(${name} PRIVATE ${llma_test_options})
  if(WIN32)
    target_compile_options(${name} PRIVATE
      -include ${PROJECT_SOURCE_DIR}/tests/windows/posix_shim.h)
  endif()
  if(EMSCRIPTEN)  # reads the files of this machine
    target_link_options(${name} PRIVATE -sNODERAWFS -sEXIT_RUNTIME
                        -sALLOW_MEMORY_GROWTH)
  endif()
  llma_use_precompiled(${name})
  if(NOT ARG_SHARDS)
    set(ARG_SHARDS 1)
  endif()
  foreach(shard RANGE 1 ${ARG_SHARDS})
    set(test ${name})
    if(ARG_SHARDS GREATER 1)
      set(test ${name}_${shard})
    endif()
    add_test(NAME ${test} COMMAND ${name})
    math(EXPR index "${shard} - 1")
    set_tests_properties(${test} PROPERTIES
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${index}"
      COST 0${ARG_COST})
  endforeach()
endfunction()
