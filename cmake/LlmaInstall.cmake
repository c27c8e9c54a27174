# SPDX-License-Identifier: Apache-2.0
# What is installed: the program, its other names, its page and completions.
include(GNUInstallDirs)

# A link that is copied as it is, so that it works under every prefix.
function(llma_install_link name target destination)
  cmake_path(GET name PARENT_PATH folder)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
  file(CREATE_LINK ${target} ${PROJECT_BINARY_DIR}/${name} SYMBOLIC)
  install(FILES ${PROJECT_BINARY_DIR}/${name} DESTINATION ${destination})
endfunction()

set(bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
set(zsh ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
set(fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

install(TARGETS llma RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/man/llma.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/llma.bash DESTINATION ${bash} RENAME llma)
install(FILES completions/_llma DESTINATION ${zsh})
install(FILES completions/llma.fish DESTINATION ${fish})
foreach(name unllma llmacat)
  llma_install_link(${name} llma ${CMAKE_INSTALL_BINDIR})
  llma_install_link(${name}.1 llma.1 ${CMAKE_INSTALL_MANDIR}/man1)
  llma_install_link(completions/${name} llma ${bash})
  llma_install_link(${name}.fish llma.fish ${fish})
endforeach()
