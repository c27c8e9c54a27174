# SPDX-License-Identifier: Apache-2.0
# Debian packages of the components in LlmaInstall.cmake:
#   cpack -G DEB --config build/release/CPackConfig.cmake -B build/packages
# Configured with -DCMAKE_INSTALL_PREFIX=/usr, libraries go where Debian has
# those of the machine; without, into /usr/lib. Needs dpkg-dev.
set(LLMA_PACKAGE_CONTACT "" CACHE STRING
    "Maintainer of packages, NAME <ADDRESS>; empty: DEBFULLNAME and DEBEMAIL")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "${LLMA_PACKAGE_CONTACT}")
set(CPACK_PROJECT_CONFIG_FILE
    ${PROJECT_SOURCE_DIR}/cmake/LlmaPackageOptions.cmake)
set(CPACK_PRE_BUILD_SCRIPTS
    ${PROJECT_SOURCE_DIR}/cmake/LlmaPackageFiles.cmake)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program runtime development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_VERBATIM_VARIABLES ON)

set(library libllma${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME llma)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
"A language model and context models predict each byte of a file, and an
arithmetic coder writes only what they did not know. English text shrinks to
about a seventh of its size. That is slow: kilobytes a second.
.
This package has the program. Levels -1 and -2 need nothing else; the others
need a model, and so do the files that they make:
 llma model pull smollm2-135m-text
README.Debian tells of other ways to get one.")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${library})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)  # and scripts that run ldconfig
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
"A language model and context models predict each byte of a file, and an
arithmetic coder writes only what they did not know.
.
This package has the shared library, for programs that are linked with it.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libllma-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# pkg-config looks for what libllma.a needs even if nothing links that.
set(needs "${library} (= ${PROJECT_VERSION})" ${llma_dev_packages})
list(JOIN needs ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"A language model and context models predict each byte of a file, and an
arithmetic coder writes only what they did not know.
.
This package has the headers of the C and C++ interface, the static library,
and what CMake and pkg-config look for.")

# Each package has its licence where Debian looks for it, and the program says
# how to get a model.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/package/copyright CONTENT
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: llma

Files: *
Copyright: 2026 the llma contributors
License: Apache-2.0

Files: src/tokenizer/unicode_table.cc
Copyright: 1991-2022 Unicode, Inc.
License: Unicode-DFS-2016
 Made from the Unicode Character Database, which may be used, copied, changed and
 given away freely with this notice; there is no warranty:
 https://www.unicode.org/license.txt

License: Apache-2.0
 On Debian systems the full text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
")
foreach(pair program:llma runtime:${library} development:libllma-dev)
  string(REGEX MATCH "^(.+):(.+)$" unused ${pair})
  install(FILES ${PROJECT_BINARY_DIR}/package/copyright COMPONENT
          ${CMAKE_MATCH_1} EXCLUDE_FROM_ALL
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CMAKE_MATCH_2})
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/cmake/README.Debian COMPONENT program
        EXCLUDE_FROM_ALL DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/llma)
include(CPack)
