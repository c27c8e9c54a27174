// SPDX-License-Identifier: Apache-2.0
// The adapter that makes the default model of what is fetched: the folder
// models/smollm2-135m-text, compiled in.
#ifndef LLMA_STORE_DEFAULT_ADAPTER_H_
#define LLMA_STORE_DEFAULT_ADAPTER_H_

#include "importer/convert/adapter.h"

namespace llma::store {

const PeftFiles& DefaultAdapter();

}  // namespace llma::store

#endif  // LLMA_STORE_DEFAULT_ADAPTER_H_
