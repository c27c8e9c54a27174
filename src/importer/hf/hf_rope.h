// SPDX-License-Identifier: Apache-2.0
// What config.json says of RoPE.
#ifndef LLMA_IMPORTER_HF_HF_ROPE_H_
#define LLMA_IMPORTER_HF_HF_ROPE_H_

#include "base/status.h"
#include "importer/convert/architecture.h"
#include "importer/hf/json_fields.h"
#include "importer/source_model.h"

namespace llma {

// Fills in both RoPEs; config.context_length is known. Programs have written it
// in three ways: rope_theta and rope_scaling; the same in rope_parameters; or
// there by kinds of layers. kUnsupported names the field.
Status ReadHfRope(const JsonFields& fields, const Architecture& architecture,
                  SourceModel& source);

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_HF_ROPE_H_
