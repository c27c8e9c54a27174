// SPDX-License-Identifier: Apache-2.0
// Files are the same on every machine: those of tests/files are restored, and
// written again, byte for byte, wherever this runs; damaged ones are refused in
// the same words.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "codec/file/whole_file.h"
#include "codec/reference.h"
#include "codec/short/compress_short.h"
#include "codec/short/decompress_short.h"
#include "model/model.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

using Buffer = std::vector<uint8_t>;

const std::string kFolder = LLMA_TEST_DATA_DIR "/../files/";

std::vector<std::string> Split(const std::string& text,
                               const std::string& separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (;;) {
    const size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + separator.size();
  }
}

Buffer Load(const std::string& name) {
  auto bytes = ReadFile(kFolder + name);
  EXPECT_TRUE(bytes) << name;
  return bytes ? *std::move(bytes) : Buffer{};
}

// A file, or a recipe such as "english.txt + 3000 zeros".
Buffer MakeContent(const std::string& recipe) {
  Buffer content;
  for (const std::string& part : Split(recipe, " + ")) {
    std::vector<std::string> words = Split(part, " ");
    if (words.size() == 1) words.insert(words.begin(), "1");
    const Buffer one = words[1] == "zeros" ? Buffer(1) : Load(words[1]);
    for (int i = std::stoi(words[0]); i > 0; --i) {
      content.insert(content.end(), one.begin(), one.end());
    }
  }
  return content;
}

struct Listed {
  std::string name, kind, expected, options;
};

std::vector<Listed> ReadList() {
  const Buffer text = Load("list.tsv");
  std::vector<Listed> all;
  std::istringstream lines{std::string(AsStringView(text))};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> fields = Split(line, "\t");
    all.push_back({fields[0], fields[1], fields[2], fields[3]});
  }
  return all;
}

// Of "-D NAME" or "-D NUMBER*NAME" among the options; else null.
std::shared_ptr<const Reference> ReferenceOf(const std::string& options) {
  std::istringstream words(options);
  for (std::string word; words >> word;) {
    if (word != "-D") continue;
    words >> word;
    std::ranges::replace(word, '*', ' ');
    auto reference = Reference::Create(MakeContent(word));
    EXPECT_TRUE(reference) << options;
    return reference ? *std::move(reference) : nullptr;
  }
  return nullptr;
}

class CodedAlikeTest : public testing::Test {
 protected:
  CodedAlikeTest() {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    EXPECT_TRUE(model) << model.error().what;
    if (model) model_ = *std::move(model);
  }

  // What the program does with these options.
  Result<Buffer> Write(const Buffer& content, const std::string& options) {
    CompressOptions how;
    how.total_bytes = content.size();
    how.reference = ReferenceOf(options);
    bool is_short = false;
    std::istringstream words(options);
    for (std::string word; words >> word;) {
      if (word == "--short") {
        is_short = true;
      } else if (word == "--no-check") {
        how.has_checksums = false;
      } else if (word == "-N") {
        how.source_info = {"content.txt", 0644, 1'000'000'000, 0};
      } else if (word == "--learn") {
        how.learns = true;
      } else if (word == "--lanes") {
        words >> how.num_lanes;
      } else if (word == "--window") {
        words >> how.window_positions;
      } else if (word == "--frame-size") {
        words >> how.frame_bytes;
      } else if (word == "-D") {
        words >> word;  // ReferenceOf() reads it
      } else {
        how.level = word.at(1) - '0';
      }
    }
    return is_short ? CompressShort(content, *model_, how)
                    : Compress(content, model_.get(), how);
  }

  Result<Buffer> Restore(const Buffer& file, const std::string& options) {
    DecompressOptions how;
    how.reference = ReferenceOf(options);
    return IsShortMessage(file) ? DecompressShort(file, model_.get(), how)
                                : Decompress(file, model_.get(), how);
  }

  std::unique_ptr<Model> model_;
};

TEST_F(CodedAlikeTest, RestoresAndWritesEveryGoodFile) {
  size_t num_restored = 0, num_written = 0;
  for (const Listed& listed : ReadList()) {
    if (listed.kind != "good") continue;
    SCOPED_TRACE(listed.name);
    const Buffer file = Load(listed.name + ".llma");
    const Buffer content = MakeContent(listed.expected);
    const auto restored = Restore(file, listed.options);
    ASSERT_TRUE(restored) << restored.error().what;
    EXPECT_TRUE(*restored == content);
    ++num_restored;
    // A release wrote it, and this one does not (tests/files/make.py).
    if (listed.options == "-" || listed.options.starts_with("-D ")) continue;
    const auto written = Write(content, listed.options);
    ASSERT_TRUE(written) << written.error().what;
    EXPECT_TRUE(*written == file);
    ++num_written;
  }
  EXPECT_GE(num_restored, 54u);
  EXPECT_GE(num_written, 45u);
}

TEST_F(CodedAlikeTest, RefusesEveryOtherFile) {
  size_t num_refused = 0;
  for (const Listed& listed : ReadList()) {
    if (listed.kind == "good") continue;
    SCOPED_TRACE(listed.name);
    const auto restored = Restore(Load(listed.name + ".llma"), listed.options);
    ASSERT_FALSE(restored);
    EXPECT_NE(restored.error().what.find(listed.expected), std::string::npos)
        << restored.error().what;
    ++num_refused;
  }
  EXPECT_GE(num_refused, 42u);
}

}  // namespace
}  // namespace llma
