// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/byte_text.h"
#include "cli/inspect/inspection.h"

namespace llma::cli {
namespace {

using Json = nlohmann::ordered_json;

double Rounded(double x) { return std::round(x * 1e4) / 1e4; }

// As text; what that does not tell is there in hexadecimal too.
void SetBytes(Json& object, const std::string& bytes) {
  const std::string text = ShownText(bytes);
  object["text"] = text;
  if (text == bytes) return;
  object["hex"] = ToHex(AsBytes(bytes));
}

}  // namespace

std::string InspectionJson(const Inspection& inspection) {
  Json root = {{"file", ShownText(inspection.name)},
               {"model", inspection.model},
               {"level", inspection.level},
               {"content_bytes", inspection.content_bytes},
               {"file_bytes", inspection.file_bytes},
               {"payload_bytes", inspection.payload_bytes},
               {"bits", Rounded(inspection.bits)}};
  Json& pieces = root["pieces"] = Json::array();
  SumRounder rounded(1e4);
  for (const InspectedPiece& piece : inspection.pieces) {
    Json item = {{"offset", piece.content_ofs}};
    SetBytes(item, piece.bytes);
    item["bits"] = static_cast<double>(rounded.Next(piece.bits)) / 1e4;
    if (piece.model_bits >= 0) item["model_bits"] = Rounded(piece.model_bits);
    Json& alternatives = item["alternatives"] = Json::array();
    for (const InspectedAlternative& alternative : piece.alternatives) {
      Json other;
      SetBytes(other, alternative.bytes);
      other["probability"] = Rounded(alternative.probability);
      alternatives.push_back(std::move(other));
    }
    pieces.push_back(std::move(item));
  }
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace llma::cli
