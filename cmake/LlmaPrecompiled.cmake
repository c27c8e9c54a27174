# SPDX-License-Identifier: Apache-2.0
# With LLMA_PCH, what most files include is compiled once for all tests, and once
# for all layers, which saves a sixth of the time of a build. A file must still
# include what it uses: most builds go without. GCC 12 warns falsely of the
# standard library in optimized code when it comes from there, so with GCC layers
# go without.
set(llma_precompiled_headers <algorithm> <array> <chrono> <filesystem>
                             <functional> <map> <memory> <mutex> <optional>
                             <span> <string> <thread> <vector>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # for ccache
  set(llma_pch_options -fpch-preprocess)
else()
  set(llma_pch_options "SHELL:-Xclang -fno-pch-timestamp")
endif()

# llma_precompile_for(name HEADERS...): makes them of the target `name`, which has
# the options of those that will use them.
function(llma_precompile_for name)
  target_precompile_headers(${name} PRIVATE ${llma_precompiled_headers} ${ARGN})
  target_compile_options(${name} PRIVATE ${llma_pch_options})
endfunction()

# llma_use_precompiled(target name): `target` uses those of `name`.
function(llma_use_precompiled target name)
  if(TARGET ${name})
    target_precompile_headers(${target} REUSE_FROM ${name})
    target_compile_options(${target} PRIVATE ${llma_pch_options})
  endif()
endfunction()

if(LLMA_PCH AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled_layer.cc CONTENT "")
  add_library(precompiled_layer OBJECT ${PROJECT_BINARY_DIR}/precompiled_layer.cc)
  target_link_libraries(precompiled_layer PRIVATE llma_flags)
  if(LLMA_FUZZ)
    target_compile_options(precompiled_layer PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  llma_precompile_for(precompiled_layer)
endif()
if(LLMA_PCH AND LLMA_TESTS)
  include(GoogleTestFromSystem)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled_test.cc CONTENT "")
  add_executable(precompiled_test ${PROJECT_BINARY_DIR}/precompiled_test.cc)
  target_link_libraries(precompiled_test PRIVATE llma_flags GTest::gtest_main)
  target_compile_options(precompiled_test PRIVATE ${llma_test_options})
  llma_precompile_for(precompiled_test <gtest/gtest.h>)
endif()
