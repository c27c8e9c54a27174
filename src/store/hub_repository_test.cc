// SPDX-License-Identifier: Apache-2.0
#include "store/hub_repository.h"

#include <gtest/gtest.h>

#include <string>

namespace llma::store {
namespace {

const std::string kCommit(40, 'a');
const std::string kBlob(40, 'b');
const std::string kSha256(64, 'c');

std::string Small(const std::string& name, const std::string& size = "12") {
  return R"({"rfilename":")" + name + R"(","size":)" + size + R"(,"blobId":")" +
         kBlob + "\"}";
}

std::string Large(const std::string& name) {
  return R"({"rfilename":")" + name + R"(","size":9,"blobId":")" + kBlob +
         R"(","lfs":{"sha256":")" + kSha256 +
         R"(","size":9,"pointerSize":130}})";
}

std::string Answer(const std::string& files, const std::string& more = "") {
  return R"({"id":"o/n","sha":")" + kCommit + R"(","siblings":[)" + files +
         "]" + more + "}";
}

Result<Repository> Parse(const std::string& text) {
  return ParseRepository(AsBytes(text));
}

TEST(HubRepositoryTest, Names) {
  const auto plain = ParseRepositoryName("hf:Qwen/Qwen2.5-0.5B");
  ASSERT_TRUE(plain) << plain.error().what;
  EXPECT_EQ(plain->path, "Qwen/Qwen2.5-0.5B");
  EXPECT_EQ(plain->name(), "Qwen2.5-0.5B");
  EXPECT_EQ(plain->revision, "main");
  EXPECT_EQ(ParseRepositoryName("hf:a/b@refs/pr/1")->revision, "refs/pr/1");
  for (const char* bad :
       {"hf:", "hf:a", "hf:a/b/c", "hf:/b", "hf:a/", "hf:../b", "hf:a/..",
        "hf:a/.b", "hf:-a/b", "hf:a/b@", "hf:a/b@../x", "hf:a/b@x?y",
        "hf:a/b@/x", "hf:a/b@x//y", "hf:a b/c", "hf:a/b#c", "hf:a/b%2e"}) {
    const auto name = ParseRepositoryName(bad);
    ASSERT_FALSE(name) << bad;
    EXPECT_EQ(name.error().code, ErrorCode::kUsage);
  }
}

TEST(HubRepositoryTest, AddressesOfPages) {
  const std::string hub = "https://hub.invalid";
  const auto page = RepositoryOfPage(hub + "/a/b/", hub);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->path, "a/b");
  EXPECT_EQ(RepositoryOfPage(hub + "/a/b/tree/v1", hub)->revision, "v1");
  for (const std::string& other : std::initializer_list<std::string>{
           hub + "/a/b/resolve/main/x.gguf", hub + "/a", hub + "/a/b.gguf",
           hub + "/a/b?x=1", "https://hub.invalid.com/a/b", hub + "/a/b/c"}) {
    EXPECT_FALSE(RepositoryOfPage(other, hub)) << other;
  }
}

TEST(HubRepositoryTest, Files) {
  const auto found = Parse(Answer(
      Small("config.json") + "," + Large("model.safetensors") + "," +
          Small(".gitattributes") + "," + Small("onnx/model.safetensors") +
          "," + Small("../config.json") + "," + Small("x.py") + "," +
          Large("n-Q8_0.gguf"),
      R"(,"gated":"manual","cardData":{"license":"mit"},"more":[1])"));
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->commit, kCommit);
  EXPECT_EQ(found->license, "mit");
  EXPECT_TRUE(found->is_gated);
  ASSERT_EQ(found->files.size(), 2u);
  EXPECT_EQ(found->files.at("config.json").blob_id, kBlob);
  EXPECT_EQ(found->files.at("config.json").size_bytes, 12u);
  EXPECT_EQ(found->files.at("model.safetensors").sha256, kSha256);
  EXPECT_EQ(found->gguf_files, std::vector<std::string>{"n-Q8_0.gguf"});
  const auto open = Parse(
      Answer("", R"(,"gated":false,"cardData":{"license":"\u001b[31m"})"));
  ASSERT_TRUE(open) << open.error().what;
  EXPECT_FALSE(open->is_gated);
  EXPECT_EQ(open->license, "");
}

TEST(HubRepositoryTest, SumsThatNobodySays) {
  const auto found = Parse(Answer(R"({"rfilename":"config.json","size":1},
      {"rfilename":"a.safetensors","size":9,"lfs":{"oid":")" +
                                  kSha256 + R"(","size":9}})"));
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->files.at("config.json").blob_id, "");
  EXPECT_EQ(found->files.at("a.safetensors").sha256, kSha256);
}

TEST(HubRepositoryTest, OddAnswers) {
  const std::string file = Small("config.json");
  const auto without = [&file](const std::string& text) {
    std::string left = file;
    left.erase(left.find(text), text.size());
    return Answer(left);
  };
  const std::pair<std::string, const char*> odd[] = {
      {"<html>", "is no JSON"},
      {"[]", "names no commit"},
      {R"({"sha":"main","siblings":[]})", "names no commit"},
      {R"({"sha":")" + kCommit + "\"}", "lists no files"},
      {Answer("{}"), "without a name"},
      {Answer(file + "," + file), "twice"},
      {without(",\"size\":12"), "how large"},
      {Answer(Small("config.json", "-1")), "how large"},
      {Answer(R"({"rfilename":"config.json","size":1,"blobId":"x"})"),
       "no usable checksum"},
      {Answer(Small("config.json", "999999999999")), "too large"},
      {Answer(Small("a.safetensors", "99999999999999999")), "too large"},
  };
  for (const auto& [text, what] : odd) {
    const auto found = Parse(text);
    ASSERT_FALSE(found) << text;
    EXPECT_NE(found.error().what.find(what), std::string::npos)
        << found.error().what;
  }
}

// Whatever is changed: an answer that can be used, or an error.
TEST(HubRepositoryTest, ChangedAnswers) {
  const std::string answer =
      Answer(Small("config.json") + "," + Large("model.safetensors"),
             R"(,"gated":false,"cardData":{"license":"mit"})");
  for (size_t i = 0; i < answer.size(); ++i) {
    for (const char c : std::string_view("\0\"{}[],:9-\xff", 11)) {
      std::string changed = answer;
      changed[i] = c;
      const auto found = Parse(changed);
      if (!found) continue;
      EXPECT_EQ(found->commit.size(), 40u);
      for (const auto& [name, file] : found->files) {
        EXPECT_EQ(name.find('/'), std::string::npos);
        EXPECT_TRUE(file.sha256.empty() || file.blob_id.empty());
      }
    }
    EXPECT_FALSE(Parse(answer.substr(0, i)));
  }
}

TEST(HubRepositoryTest, Weights) {
  using Names = std::vector<std::string>;
  const auto one = Parse(Answer(Large("consolidated.safetensors") + "," +
                                Large("model.safetensors")));
  ASSERT_TRUE(one);
  EXPECT_EQ(*ChooseWeights(*one, {}), Names{"model.safetensors"});
  const auto others =
      Parse(Answer(Large("b.safetensors") + "," + Large("a.safetensors")));
  EXPECT_EQ(*ChooseWeights(*others, {}),
            (Names{"a.safetensors", "b.safetensors"}));
  const auto parts = Parse(Answer(Large("model-1.safetensors") + "," +
                                  Large("model-2.safetensors") + "," +
                                  Large("consolidated.safetensors") + "," +
                                  Small("model.safetensors.index.json")));
  const auto choose = [&parts](const std::string& index) {
    return ChooseWeights(*parts, AsBytes(index));
  };
  EXPECT_EQ(*choose(R"({"weight_map":{"x":"model-2.safetensors",
                       "y":"model-1.safetensors","z":"model-2.safetensors"}})"),
            (Names{"model-1.safetensors", "model-2.safetensors"}));
  const auto both = Parse(Answer(Large("model-1.safetensors") + "," +
                                 Large("model.safetensors") + "," +
                                 Small("model.safetensors.index.json")));
  EXPECT_EQ(*ChooseWeights(
                *both, AsBytes(std::string(
                           R"({"weight_map":{"x":"model-1.safetensors"}})"))),
            Names{"model.safetensors"});
  for (const char* bad :
       {"", "{}", R"({"weight_map":[]})", R"({"weight_map":{"x":1}})",
        R"({"weight_map":{"x":"../model-1.safetensors"}})",
        R"({"weight_map":{"x":"config.json"}})",
        R"({"weight_map":{"x":"model-3.safetensors"}})"}) {
    EXPECT_FALSE(choose(bad)) << bad;
  }
}

}  // namespace
}  // namespace llma::store
