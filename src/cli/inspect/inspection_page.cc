// SPDX-License-Identifier: Apache-2.0
// The page of `llma inspect`. It holds its data as JSON; its script, in
// inspection_script.cc, draws them.
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/inspect/inspection.h"
#include "cli/inspect/inspection_parts.h"

namespace llma::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kPassageBytes = 160;
constexpr uint64_t kMinPassageBytes = 40;
constexpr size_t kPassages = 5;

// Numbers and names for the texts of alternatives, which recur.
class TextTable {
 public:
  size_t Find(const std::string& bytes) {
    const auto [it, is_new] = indexes_.try_emplace(bytes, texts_.size());
    if (is_new) texts_.push_back(ShownText(bytes));
    return it->second;
  }
  const Json& texts() const { return texts_; }

 private:
  std::map<std::string, size_t> indexes_;
  Json texts_ = Json::array();
};

// Short texts have fewer and shorter passages, so that the hardest and the
// easiest ones differ.
Json PassageList(const Inspection& inspection, bool dearest) {
  const uint64_t bytes = std::clamp(inspection.content_bytes / 20,
                                    kMinPassageBytes, kPassageBytes);
  const size_t count = static_cast<size_t>(
      std::min<uint64_t>(kPassages, inspection.content_bytes / (4 * bytes)));
  Json list = Json::array();
  for (const Passage& p : FindPassages(inspection, bytes, count, dearest)) {
    list.push_back(
        {p.first_piece, p.num_pieces,
         std::round(100 * p.bits / static_cast<double>(p.size_bytes)) / 100});
  }
  return list;
}

// Script data end with "</", which no string in them may hold.
std::string SafeInScript(const Json& data) {
  const std::string text =
      data.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string InspectionPage(const Inspection& inspection) {
  TextTable table;
  Json texts = ShownTexts(inspection);
  Json sizes = Json::array(), bits = Json::array(), model_bits = Json::array();
  Json alternatives = Json::array();
  SumRounder rounded(100);
  for (const InspectedPiece& piece : inspection.pieces) {
    sizes.push_back(piece.bytes.size());
    bits.push_back(rounded.Next(piece.bits));
    model_bits.push_back(
        piece.model_bits < 0 ? -1 : std::round(100 * piece.model_bits));
    Json flat = Json::array();
    for (const InspectedAlternative& other : piece.alternatives) {
      flat.push_back(table.Find(other.bytes));
      flat.push_back(std::round(1000 * other.probability));
    }
    alternatives.push_back(std::move(flat));
  }
  const Json data = {{"file", ShownText(inspection.name)},
                     {"model", inspection.model},
                     {"level", inspection.level},
                     {"contentBytes", inspection.content_bytes},
                     {"fileBytes", inspection.file_bytes},
                     {"payloadBytes", inspection.payload_bytes},
                     {"bits", std::round(100 * inspection.bits) / 100},
                     {"dearest", PassageList(inspection, true)},
                     {"cheapest", PassageList(inspection, false)},
                     {"texts", std::move(texts)},
                     {"sizes", std::move(sizes)},
                     {"pieceBits", std::move(bits)},
                     {"modelBits", std::move(model_bits)},
                     {"alternatives", std::move(alternatives)},
                     {"spellings", table.texts()}};
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n";
  page += "<meta charset=\"utf-8\">\n";
  page +=
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n";
  page += "<title>" + EscapeHtml(ShownText(inspection.name)) +
          " - llma inspect</title>\n<style>\n";
  page += kInspectionStyle;
  page += "</style>\n</head>\n<body>\n";
  page += kInspectionBody;
  page += "<script type=\"application/json\" id=\"data\">";
  page += SafeInScript(data);
  page += "</script>\n<script>\n";
  page += kInspectionScript;
  page += kInspectionTextScript;
  page += "</script>\n</body>\n</html>\n";
  return page;
}

}  // namespace llma::cli
