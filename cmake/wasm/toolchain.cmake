# SPDX-License-Identifier: Apache-2.0
# Debian's Emscripten: WebAssembly with vectors of 128 bits and exceptions of its
# own, its programs run by Node. With LLMA_WASM_THREADS, also with threads.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LLMA_WASM_THREADS)
include(/usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake)
set(flags "-msimd128 -fwasm-exceptions")
if(LLMA_WASM_THREADS)
  string(APPEND flags " -pthread")
endif()
set(CMAKE_C_FLAGS_INIT "${flags}")
set(CMAKE_CXX_FLAGS_INIT
    "${flags} -include ${CMAKE_CURRENT_LIST_DIR}/library_gaps.h")
# Where Node has fetch(), this Emscripten takes it for a browser.
set(CMAKE_CROSSCOMPILING_EMULATOR node --no-experimental-fetch
                                  --stack-size=4000)
