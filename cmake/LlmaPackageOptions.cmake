# SPDX-License-Identifier: Apache-2.0
# What cpack asks when it makes packages, not when the build is configured.
if(CPACK_GENERATOR STREQUAL "DEB")
  # Without it packages get no dependencies, and CPack does not say so.
  find_program(dpkg_shlibdeps dpkg-shlibdeps NO_CACHE)
  if(NOT dpkg_shlibdeps)
    message(FATAL_ERROR "dpkg-shlibdeps is not here, and without it packages "
                        "would lack their dependencies: install dpkg-dev")
  endif()
  # A package that says nothing else is of this machine, as is its maintainer.
  if(NOT CPACK_PACKAGE_CONTACT)
    set(name "$ENV{DEBFULLNAME}")
    set(address "$ENV{DEBEMAIL}")
    if(address MATCHES "<.+>")
      set(CPACK_PACKAGE_CONTACT "${address}")
    else()
      if(NOT name)
        set(name "Local build")
      endif()
      if(NOT address)
        set(address "root@localhost")
        message(STATUS "The maintainer is ${name} <${address}>: DEBFULLNAME and "
                       "DEBEMAIL, or LLMA_PACKAGE_CONTACT, name another one")
      endif()
      set(CPACK_PACKAGE_CONTACT "${name} <${address}>")
    endif()
  endif()
  set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${CPACK_PACKAGE_CONTACT}")
endif()
