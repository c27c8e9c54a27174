// SPDX-License-Identifier: Apache-2.0
// A command line, its words ended by new lines; each word as a size and a
// range.
#include <string>
#include <vector>

#include "cli/args/options.h"
#include "fuzz/fuzz_support.h"

namespace llma {
namespace {

void CheckValues(const std::string& word) {
  const auto size = cli::ParseSize("-M", word);
  if (size) {
    FUZZ_CHECK(*size > 0);
    FUZZ_CHECK(*cli::ParseSize("-M", std::to_string(*size)) == *size);
    const auto range = cli::ParseRange("--range", word + ":" + word);
    FUZZ_CHECK(range && range->offset == *size && range->size == *size);
  }
  if (const auto range = cli::ParseRange("--range", word)) {
    FUZZ_CHECK(range->from_end == word.starts_with('-'));
  }
  if (const auto number = cli::ParseNumber("-x", word, 1, 1000)) {
    FUZZ_CHECK(*number >= 1 && *number <= 1000);
  }
}

}  // namespace
}  // namespace llma

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llma;
  std::vector<std::string> words = {"llma"};
  std::string word;
  for (FuzzInput input(Bytes(data, size)); !input.empty();) {
    const auto c = static_cast<char>(input.TakeU8());
    if (c == '\0') continue;
    if (c != '\n') {
      word += c;
      continue;
    }
    CheckValues(word);
    words.push_back(std::move(word));
    word.clear();
  }
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  const auto options =
      cli::ParseOptions(static_cast<int>(words.size()), argv.data());
  if (!options) {
    FUZZ_CHECK(options.error().code == ErrorCode::kUsage);
    FUZZ_CHECK(!options.error().what.empty());
  }
  return 0;
}
