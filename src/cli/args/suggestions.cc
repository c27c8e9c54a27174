// SPDX-License-Identifier: Apache-2.0
#include "cli/args/suggestions.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "platform/file_info.h"

namespace llma::cli {
namespace {

// Nobody gets more letters wrong of a word that they know.
size_t MaxDistance(std::string_view word) {
  return word.size() < 3 ? 0 : word.size() < 6 ? 1 : 2;
}

// What people call things, and what to type for it.
using Command = std::pair<std::string_view, std::string_view>;
constexpr std::array kCommands = {
    Command{"bench", "llma bench"},
    Command{"benchmark", "llma bench"},
    Command{"check", "llma model check"},
    Command{"compress", "llma --compress"},
    Command{"decompress", "llma --decompress"},
    Command{"export", "llma model export"},
    Command{"extract", "llma --decompress"},
    Command{"help", "llma --help"},
    Command{"import", "llma model import"},
    Command{"info", "llma model info"},
    Command{"inspect", "llma inspect"},
    Command{"list", "llma --list"},
    Command{"model", "llma model"},
    Command{"models", "llma model"},
    Command{"pull", "llma model pull"},
    Command{"test", "llma --test"},
    Command{"tune", "llma tune"},
    Command{"uncompress", "llma --decompress"},
    Command{"verify", "llma model verify"},
    Command{"version", "llma --version"},
};

}  // namespace

size_t EditDistance(std::string_view a, std::string_view b) {
  // Rows of the table of distances between the starts of both words: the one
  // that is made, the one before, and the one before that.
  std::vector<size_t> row(b.size() + 1), previous(b.size() + 1), oldest;
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    oldest = std::exchange(previous, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], oldest[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string_view NearestWord(std::string_view word,
                             std::span<const std::string_view> words) {
  std::string_view nearest;
  size_t least = MaxDistance(word) + 1;
  for (const std::string_view candidate : words) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string MeantOption(std::string_view word, const option* long_options) {
  std::vector<std::string_view> names;
  for (; long_options->name != nullptr; ++long_options) {
    names.emplace_back(long_options->name);
  }
  const bool has_two_dashes = word.starts_with("--");
  word.remove_prefix(has_two_dashes ? 2 : 1);
  word = word.substr(0, word.find('='));
  std::string_view meant;
  if (has_two_dashes) {
    meant = NearestWord(word, names);
  } else if (word.size() > 1 && std::ranges::find(names, word) != names.end()) {
    meant = word;
  }
  return meant.empty() ? "" : "--" + std::string(meant);
}

std::string MeantCommand(const Options& options) {
  if (options.operation > Operation::kList || options.is_in_out ||
      options.operands.empty()) {
    return {};
  }
  const std::string& word = options.operands[0];
  if (word.size() > 16 || word.find_first_of("./") != std::string::npos) {
    return {};
  }
  std::array<std::string_view, kCommands.size()> names;
  std::ranges::transform(kCommands, names.begin(), &Command::first);
  const std::string_view nearest = NearestWord(word, names);
  if (nearest.empty() || !IsMissing(word)) return {};
  return std::string(
      std::ranges::find(kCommands, nearest, &Command::first)->second);
}

}  // namespace llma::cli
