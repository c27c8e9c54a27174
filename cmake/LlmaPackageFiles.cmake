# SPDX-License-Identifier: Apache-2.0
# What Debian's packages have besides what is installed: manual pages are
# compressed, and each package has a changelog. Runs in cpack, before packages are
# made of the folders of its components.
set(stage "${CPACK_TEMPORARY_INSTALL_DIRECTORY}")
file(GLOB pages "${stage}/*/usr/share/man/man1/*.1")
foreach(page IN LISTS pages)
  if(IS_SYMLINK "${page}")
    file(READ_SYMLINK "${page}" target)
    file(REMOVE "${page}")
    file(CREATE_LINK "${target}.gz" "${page}.gz" SYMBOLIC)
  else()
    execute_process(COMMAND gzip -9n "${page}" COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()

string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(GLOB documents "${stage}/*/usr/share/doc/*")
foreach(folder IN LISTS documents)
  cmake_path(GET folder FILENAME package)
  file(WRITE "${folder}/changelog" "${package} (${CPACK_PACKAGE_VERSION}) \
unstable; urgency=medium

  * Packaged from the source code of this version.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
  execute_process(COMMAND gzip -9n "${folder}/changelog"
                  COMMAND_ERROR_IS_FATAL ANY)
  file(CHMOD "${folder}/changelog.gz"
       PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()
