# SPDX-License-Identifier: Apache-2.0
# What others link: libllma.so with the public functions alone, and libllma.a.
# Both are made of the objects of the layers below the public interface, which
# are compiled once.

# What the layers use from outside, for those who link libllma.a: how CMake finds
# it, what pkg-config is told, and its package in Debian ("-": there is none).
# libcurl is named as a library: Debian's libcurl.pc asks those who link static
# libraries for many more, which only libcurl.a would need.
set(llma_needs_Threads::Threads "find_package(Threads QUIET)" -pthread -)
set(llma_needs_ZLIB::ZLIB "find_package(ZLIB QUIET)" zlib zlib1g-dev)
set(llma_needs_CURL::libcurl "find_package(CURL QUIET)" -lcurl
    libcurl4-openssl-dev)
set(llma_needs_dl "" -ldl -)
set(llma_needs_winhttp "" -lwinhttp -)
set(llma_needs_nlohmann_json::nlohmann_json "" - -)  # headers alone

# The layers from `target` down, and the targets from outside that they use.
function(llma_collect_parts target layers_name outside_name)
  set(layers ${${layers_name}})
  set(outside ${${outside_name}})
  if(NOT target IN_LIST layers)
    list(APPEND layers ${target})
    get_target_property(links ${target} LINK_LIBRARIES)
    foreach(link IN LISTS links)
      if(link STREQUAL "llma_flags" OR NOT link)
        continue()
      elseif(link MATCHES "^llma_")
        llma_collect_parts(${link} layers outside)
      elseif(NOT DEFINED llma_needs_${link})
        message(FATAL_ERROR "${target} links ${link}: say in "
                            "cmake/LlmaLibrary.cmake how others find it")
      else()
        list(APPEND outside ${link})
      endif()
    endforeach()
  endif()
  list(REMOVE_DUPLICATES outside)
  set(${layers_name} ${layers} PARENT_SCOPE)
  set(${outside_name} ${outside} PARENT_SCOPE)
endfunction()

set(llma_layers "")
set(llma_outside "")
llma_collect_parts(llma_api llma_layers llma_outside)
set(llma_objects ${llma_layers})
list(TRANSFORM llma_objects REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")

add_library(llma_shared SHARED ${llma_objects})
add_library(llma_static STATIC ${llma_objects})
set_target_properties(llma_shared PROPERTIES EXPORT_NAME llma
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
foreach(library llma_shared llma_static)
  set_target_properties(${library} PROPERTIES OUTPUT_NAME llma
                                              LINKER_LANGUAGE CXX)
  target_include_directories(${library} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
endforeach()
if(WIN32)
  set_target_properties(llma_shared PROPERTIES
    PREFIX "" IMPORT_PREFIX "" IMPORT_SUFFIX ".lib"
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  # Who links it takes its functions from a DLL.
  target_compile_definitions(llma_shared INTERFACE LLMA_USES_DLL)
endif()
add_library(llma::llma ALIAS llma_shared)
add_library(llma::llma_static ALIAS llma_static)

# Nothing but the functions of llma.h is seen from outside: elsewhere their
# visibility says so alone.
if(NOT APPLE AND NOT WIN32)
  set(version_script ${PROJECT_SOURCE_DIR}/cmake/libllma.map)
  target_link_options(llma_shared PRIVATE -Wl,--version-script=${version_script})
  set_property(TARGET llma_shared APPEND PROPERTY LINK_DEPENDS ${version_script})
endif()
target_link_libraries(llma_shared PRIVATE llma_flags ${llma_outside})
if(NOT LLMA_SANITIZER AND NOT APPLE AND NOT WIN32)  # whose functions are in the program
  target_link_options(llma_shared PRIVATE -Wl,-z,defs)
endif()

# For the CMake package and for pkg-config, which are installed.
set(llma_find_lines "")
set(llma_static_links "")
set(llma_pc_requires "")
set(llma_pc_libs "")
set(llma_dev_packages "")
foreach(name IN LISTS llma_outside)
  list(GET llma_needs_${name} 0 line)
  list(GET llma_needs_${name} 1 module)
  list(GET llma_needs_${name} 2 package)
  if(line)
    string(APPEND llma_find_lines "  ${line}\n")
    list(APPEND llma_static_links ${name})
  endif()
  if(module MATCHES "^-.")
    list(APPEND llma_pc_libs ${module})
  elseif(NOT module STREQUAL "-")
    list(APPEND llma_pc_requires ${module})
  endif()
  if(NOT package STREQUAL "-")
    list(APPEND llma_dev_packages ${package})
  endif()
endforeach()
target_link_libraries(llma_static PRIVATE ${llma_static_links})
# The C++ library, for those whose linker is called by a C compiler.
set(llma_cxx_libs "")
foreach(name IN LISTS CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
  if(name MATCHES "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
    list(APPEND llma_pc_libs -l${name})
    list(APPEND llma_cxx_libs ${name})
  endif()
endforeach()
foreach(name llma_pc_requires llma_pc_libs llma_cxx_libs llma_static_links)
  list(JOIN ${name} " " joined)
  set(${name} ${joined} PARENT_SCOPE)  # for LlmaInstall.cmake
endforeach()
set(llma_find_lines ${llma_find_lines} PARENT_SCOPE)
set(llma_dev_packages ${llma_dev_packages} PARENT_SCOPE)
