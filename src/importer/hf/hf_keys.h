// SPDX-License-Identifier: Apache-2.0
// Fields of a config.json that an import does not read: what may be there.
#ifndef LLMA_IMPORTER_HF_HF_KEYS_H_
#define LLMA_IMPORTER_HF_HF_KEYS_H_

#include <string>
#include <vector>

#include "base/status.h"
#include "importer/convert/architecture.h"
#include "importer/hf/json_fields.h"

namespace llma {

// kUnsupported, naming the field, if one changes what a model computes, says
// something, and is not read for the architecture. Fields of unknown meaning
// that say something become notes; those of no effect here (how it is trained,
// loaded or sampled from) do not.
Status CheckUnreadFields(const JsonValue& config, const JsonFields& fields,
                         const Architecture& architecture,
                         std::vector<std::string>& notes);

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_HF_KEYS_H_
