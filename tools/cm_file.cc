// SPDX-License-Identifier: Apache-2.0
// Measures the context models on files: the size of the code in bytes (with
// the real coder), the processor time, and whether it decodes. For tuning; it
// writes no files and its output is no format.
//
//   cm_file [--set=light|full|alone] [--lanes=N] [--check] [--ablate=MASK]
//   [--start=TEXT] FILE...
//
// alone: the light set as it is without a language model, in one lane.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "cm/context_mixer.h"
#include "cm/light_predictor.h"
#include "cm/start_text.h"
#include "coder/binary_coder.h"
#include "platform/descriptors.h"

namespace {

using llma::cm::ContextMixer;
using llma::cm::ContextMixerOptions;

// Codes `content` in lanes of equal size, a byte of each in turn.
template <class Coder>
void CodeContent(Coder& coder, const ContextMixerOptions& options,
                 uint64_t num_lanes, std::vector<uint8_t>& content) {
  ContextMixer mixer(options);
  const uint64_t size = content.size();
  std::vector<uint32_t> lanes;
  for (uint64_t i = 0; i < num_lanes; ++i) {
    lanes.push_back(mixer.AddLane(size * i / num_lanes));
  }
  for (uint64_t step = 0; step <= size / num_lanes; ++step) {
    for (uint64_t i = 0; i < num_lanes; ++i) {
      const uint64_t ofs = size * i / num_lanes + step;
      if (ofs >= size * (i + 1) / num_lanes) continue;
      mixer.BeginByte(lanes[i]);
      for (int k = 7; k >= 0; --k) {
        const bool bit =
            coder.Code((content[ofs] >> k & 1) != 0, mixer.Predict());
        mixer.Update(bit ? 1 : 0);
      }
      content[ofs] = static_cast<uint8_t>(mixer.partial_byte());
    }
  }
}

template <class Coder>
void CodeAlone(Coder& coder, std::vector<uint8_t>& content) {
  llma::cm::LightPredictor predictor(content.size(), llma::PageSize::kLarge,
                                     llma::BestKernels());
  for (uint8_t& byte : content) {
    for (int k = 7; k >= 0; --k) {
      const bool bit = coder.Code((byte >> k & 1) != 0, predictor.Predict());
      predictor.Update(bit ? 1 : 0);
    }
    byte = predictor.last_byte();
  }
}

}  // namespace

int main(int argc, char** argv) {
  ContextMixerOptions options;
  uint64_t num_lanes = 1;
  llma::cm::StartText start_text = llma::cm::StartText::kNone;
  bool check = false;
  bool is_alone = false;
  uint64_t total = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--set=light") {
      options.set = llma::cm::ModelSet::kLight;
    } else if (arg == "--set=full") {
      options.set = llma::cm::ModelSet::kFull;
    } else if (arg == "--set=alone") {
      is_alone = true;
    } else if (arg.starts_with("--lanes=")) {
      num_lanes = std::strtoull(arg.c_str() + 8, nullptr, 10);
    } else if (arg.starts_with("--ablate=")) {
      options.ablated =
          static_cast<uint32_t>(std::strtoul(arg.c_str() + 9, nullptr, 0));
    } else if (arg.starts_with("--start=")) {
      start_text = static_cast<llma::cm::StartText>(
          std::strtoul(arg.c_str() + 8, nullptr, 10));
    } else if (arg == "--check") {
      check = true;
    } else {
      auto read = llma::ReadFile(arg);
      if (!read) {
        std::fprintf(stderr, "%s: %s\n", arg.c_str(),
                     read.error().what.c_str());
        return 1;
      }
      std::vector<uint8_t> content = *std::move(read);
      options.content_bytes = content.size();
      options.start_text =
          llma::cm::GetStartText(start_text, options.content_bytes);
      const std::clock_t start = std::clock();
      llma::BinaryEncoder encoder;
      if (is_alone) {
        CodeAlone(encoder, content);
      } else {
        CodeContent(encoder, options, num_lanes, content);
      }
      const std::vector<uint8_t> code = std::move(encoder).Finish();
      const double seconds =
          static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      const char* verdict = "";
      if (check) {
        std::vector<uint8_t> decoded(content.size());
        llma::BinaryDecoder decoder(code);
        if (is_alone) {
          CodeAlone(decoder, decoded);
        } else {
          CodeContent(decoder, options, num_lanes, decoded);
        }
        verdict = decoded == content ? " decodes" : " DOES NOT DECODE";
      }
      total += code.size();
      std::printf(
          "%-24s %9zu -> %8zu  %7.2f us/byte%s\n",
          arg.substr(arg.rfind('/') + 1).c_str(), content.size(), code.size(),
          seconds * 1e6 /
              static_cast<double>(content.size() + (content.empty() ? 1 : 0)),
          verdict);
      std::fflush(stdout);
    }
  }
  std::printf("%-24s %21llu\n", "total",
              static_cast<unsigned long long>(total));
  return 0;
}
