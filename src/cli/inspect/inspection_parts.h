// SPDX-License-Identifier: Apache-2.0
// The parts of an inspection's page that are the same for every text.
#ifndef LLMA_CLI_INSPECT_INSPECTION_PARTS_H_
#define LLMA_CLI_INSPECT_INSPECTION_PARTS_H_

#include <string_view>

namespace llma::cli {

extern const std::string_view kInspectionStyle;   // CSS
extern const std::string_view kInspectionBody;    // HTML
extern const std::string_view kInspectionScript;  // JavaScript: the numbers,
extern const std::string_view kInspectionTextScript;  // and the text

}  // namespace llma::cli

#endif  // LLMA_CLI_INSPECT_INSPECTION_PARTS_H_
