// SPDX-License-Identifier: Apache-2.0
// Metadata of GGUF files that an import does not read: what of it may be there.
// Programs write keys of all architectures they know, most of them with values
// that say nothing. Any other value may change what the model computes, so it
// is refused by name.
#ifndef LLMA_IMPORTER_GGUF_GGUF_KEYS_H_
#define LLMA_IMPORTER_GGUF_GGUF_KEYS_H_

#include <string>
#include <string_view>

#include "base/status.h"
#include "importer/gguf/gguf_reader.h"

namespace llma {

// `name` is `key` without the architecture's name. kUnsupported, naming the key
// and its value, unless this value changes nothing.
Status CheckUnreadKey(const GgufReader& gguf, const std::string& key,
                      std::string_view name);

// Whether a key is of a part that sees pictures or hears, which is left out.
bool IsKeyOfOtherSenses(std::string_view name);
// The same of tensors.
bool IsTensorOfOtherSenses(std::string_view name);

}  // namespace llma

#endif  // LLMA_IMPORTER_GGUF_GGUF_KEYS_H_
