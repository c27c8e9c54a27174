// SPDX-License-Identifier: Apache-2.0
// <llma/llma.h> for C++20, header only: handles that free themselves, errors as
// values (llma::Result). What functions mean is said there. Handles are
// movable; their thread contract is that of the C interface.
#ifndef LLMA_LLMA_HPP_
#define LLMA_LLMA_HPP_

#include <llma/files.hpp>
#include <llma/inspection.hpp>
#include <llma/models.hpp>
#include <llma/options.hpp>
#include <llma/result.hpp>
#include <llma/streams.hpp>

#endif  // LLMA_LLMA_HPP_
