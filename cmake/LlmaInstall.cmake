# SPDX-License-Identifier: Apache-2.0
# What is installed. Components, which are packages too (LlmaPackage.cmake):
#   program      the program, its other names, scripts, man pages, completions,
#                documents
#   runtime      the shared library
#   development  headers, libraries to link, packages of CMake and pkg-config
# Nothing that is installed says where: the whole can be moved.
include(CMakePackageConfigHelpers)

set(bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
set(zsh ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
set(fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# A link that is copied as it is, so that it works under every prefix.
function(llma_install_link name target destination)
  cmake_path(GET name PARENT_PATH folder)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
  file(CREATE_LINK ${target} ${PROJECT_BINARY_DIR}/${name} SYMBOLIC)
  install(FILES ${PROJECT_BINARY_DIR}/${name} DESTINATION ${destination}
          COMPONENT program)
endfunction()

install(TARGETS llma RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        COMPONENT program)
install(PROGRAMS scripts/llmadiff scripts/llmagrep scripts/llmaless
        DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(FILES docs/man/llma.1 docs/man/llmagrep.1
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        COMPONENT program)
# For file(1), which has no folder for such; and for shared-mime-info.
install(FILES misc/llma.magic DESTINATION ${CMAKE_INSTALL_DATADIR}/misc
        COMPONENT program)
install(FILES misc/llma.xml DESTINATION ${CMAKE_INSTALL_DATADIR}/mime/packages
        COMPONENT program)
install(FILES completions/llma.bash DESTINATION ${bash} RENAME llma
        COMPONENT program)
install(FILES completions/_llma DESTINATION ${zsh} COMPONENT program)
install(FILES completions/llma.fish DESTINATION ${fish} COMPONENT program)
foreach(name unllma llmacat)
  llma_install_link(${name} llma ${CMAKE_INSTALL_BINDIR})
  llma_install_link(${name}.1 llma.1 ${CMAKE_INSTALL_MANDIR}/man1)
  llma_install_link(completions/${name} llma ${bash})
  llma_install_link(${name}.fish llma.fish ${fish})
endforeach()
foreach(name llmadiff llmaless)
  llma_install_link(${name}.1 llmagrep.1 ${CMAKE_INSTALL_MANDIR}/man1)
endforeach()
# The licence, and what decides how a file is read.
install(FILES LICENSE README.md docs/FORMAT.md docs/PREDICTOR.md
              docs/NUMERICS.md docs/CONTEXT_LAW.md docs/CONTEXT_MODELS.md
              docs/MODEL_FILE.md docs/COMPATIBILITY.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

install(TARGETS llma_shared EXPORT llmaSharedTargets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime
                NAMELINK_COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS llma_static EXPORT llmaStaticTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/llma DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT development FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/llma)
foreach(kind Shared Static)
  install(EXPORT llma${kind}Targets DESTINATION ${package} NAMESPACE llma::
          COMPONENT development)
endforeach()
configure_package_config_file(
  cmake/llmaConfig.cmake.in ${PROJECT_BINARY_DIR}/llmaConfig.cmake
  INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/llmaConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/llmaConfig.cmake
              ${PROJECT_BINARY_DIR}/llmaConfigVersion.cmake
        DESTINATION ${package} COMPONENT development)

# Relative to the file itself, unless the folders are absolute.
set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(llma_pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY
             ${CMAKE_INSTALL_PREFIX}/${pc_folder} OUTPUT_VARIABLE up)
  set(llma_pc_prefix "\${pcfiledir}/${up}")
endif()
foreach(name libdir includedir)
  string(TOUPPER CMAKE_INSTALL_${name} folder)
  set(llma_pc_${name} ${${folder}})
  if(NOT IS_ABSOLUTE "${llma_pc_${name}}")
    string(PREPEND llma_pc_${name} "\${prefix}/")
  endif()
endforeach()
configure_file(cmake/llma.pc.in ${PROJECT_BINARY_DIR}/llma.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/llma.pc DESTINATION ${pc_folder}
        COMPONENT development)
