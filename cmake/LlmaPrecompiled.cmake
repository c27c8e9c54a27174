# SPDX-License-Identifier: Apache-2.0
# With LLMA_FAST_BUILD, what most tests include is compiled once for all of them.
# A file must still include what it uses: other builds go without.
set(llma_precompiled_headers <algorithm> <array> <chrono> <filesystem>
                             <functional> <map> <memory> <mutex> <optional>
                             <span> <string> <thread> <vector> <gtest/gtest.h>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # for ccache
  set(llma_pch_options -fpch-preprocess)
else()
  set(llma_pch_options "SHELL:-Xclang -fno-pch-timestamp")
endif()

# llma_use_precompiled(target): a test program that uses them.
function(llma_use_precompiled target)
  if(TARGET precompiled_test)
    target_precompile_headers(${target} REUSE_FROM precompiled_test)
    target_compile_options(${target} PRIVATE ${llma_pch_options})
  endif()
endfunction()

if(LLMA_FAST_BUILD AND LLMA_TESTS)
  include(GoogleTestFromSystem)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled_test.cc CONTENT "")
  add_executable(precompiled_test ${PROJECT_BINARY_DIR}/precompiled_test.cc)
  target_link_libraries(precompiled_test PRIVATE llma_flags GTest::gtest_main)
  target_compile_options(precompiled_test PRIVATE ${llma_test_options}
                                                  ${llma_pch_options})
  target_precompile_headers(precompiled_test PRIVATE
                            ${llma_precompiled_headers})
endif()
