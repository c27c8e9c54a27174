// SPDX-License-Identifier: Apache-2.0
#include "model/model_registry.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "model/model_header.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

const std::string kTinyPath = LLMA_TEST_DATA_DIR "/tiny.llmm";

// A home and other folders below a temporary one.
class ModelRegistryTest : public testing::Test {
 protected:
  ModelRegistryTest() {
    std::string name = testing::TempDir() + "llma_registry_XXXXXX";
    root_ = ::mkdtemp(name.data());
    ::setenv("HOME", root_.c_str(), 1);
    ::unsetenv("XDG_DATA_HOME");
    ::unsetenv("LLMA_MODEL_PATH");
  }
  ~ModelRegistryTest() override { fs::remove_all(root_); }

  // A copy of the tiny model's header under another name, with a sparse rest.
  std::string Install(const std::string& folder, const std::string& name) {
    fs::create_directories(folder);
    const auto bytes = ReadFile(kTinyPath);
    ModelHeader header = *ParseModelHeader(*bytes);
    header.name = name;
    header.fingerprint[0] = static_cast<uint8_t>(name.size());
    // The name's length moves the end of the header within its padding.
    const std::vector<uint8_t> encoded = EncodeModelHeader(header);
    const std::string path = folder + "/" + name + ".llmm";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(encoded.data()),
               static_cast<std::streamsize>(encoded.size()));
    return path;
  }

  std::string root_;
};

TEST_F(ModelRegistryTest, SearchPathComesFromTheEnvironment) {
  using Paths = std::vector<std::string>;
  EXPECT_EQ(ModelSearchPath(),
            (Paths{root_ + "/.local/share/llma", "/usr/share/llma"}));
  ::setenv("XDG_DATA_HOME", "/data", 1);
  ::setenv("LLMA_MODEL_PATH", "/a::b/c.llmm:", 1);
  EXPECT_EQ(ModelSearchPath(),
            (Paths{"/a", "b/c.llmm", "/data/llma", "/usr/share/llma"}));
  ::setenv("XDG_DATA_HOME", "relative", 1);
  EXPECT_EQ(UserModelFolder(), root_ + "/.local/share/llma");
  ::unsetenv("HOME");
  EXPECT_EQ(UserModelFolder(), "");
}

TEST_F(ModelRegistryTest, FindsByNameAndFingerprint) {
  const std::string first = root_ + "/first";
  const std::string user = UserModelFolder();
  ::setenv("LLMA_MODEL_PATH", (first + ":" + kTinyPath).c_str(), 1);
  Install(first, "abc");
  Install(user, "abc");
  Install(user, "abcd");
  const auto found = FindModelByName("abc");
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->path, first + "/abc.llmm");
  EXPECT_EQ(FindModelByName("abcd")->path, user + "/abcd.llmm");
  const auto tiny = FindModelByName("tiny");
  ASSERT_TRUE(tiny);
  EXPECT_EQ(tiny->path, kTinyPath);
  EXPECT_EQ(tiny->file_bytes, fs::file_size(kTinyPath));
  const Bytes id = Bytes(tiny->fingerprint).first(kModelIdBytes);
  EXPECT_EQ(FindModelById(id)->path, kTinyPath);
}

TEST_F(ModelRegistryTest, AnEmptyNameIsTheDefaultOrTheOnlyOne) {
  EXPECT_EQ(FindModelByName("").error().what,
            "no model is installed: run `llma model pull default`, or `llma "
            "model import FILE.gguf` on a model of your own");
  Install(UserModelFolder(), "abc");
  EXPECT_EQ(FindModelByName("")->name, "abc");
  Install(UserModelFolder(), "abcd");
  EXPECT_EQ(FindModelByName("").error().code, ErrorCode::kModelMissing);
  Install(UserModelFolder(), std::string(kDefaultModelName));
  EXPECT_EQ(FindModelByName("")->name, kDefaultModelName);
}

TEST_F(ModelRegistryTest, ErrorsSayWhatToDo) {
  const uint8_t id[kModelIdBytes] = {0xab, 0x12, 0, 1, 2, 3, 4, 255};
  const auto missing = FindModelById(id);
  EXPECT_EQ(missing.error().code, ErrorCode::kModelMissing);
  EXPECT_EQ(missing.error().what,
            "needs the model with fingerprint ab120001020304ff...: run `llma "
            "model import FILE.gguf`");
  EXPECT_EQ(FindModelByName("nobody").error().code, ErrorCode::kModelMissing);
}

TEST_F(ModelRegistryTest, ModelsToTryAreFewAndFit) {
  const auto names = [](const std::vector<InstalledModel>& models,
                        uint64_t max_bytes) {
    std::string text;
    for (const auto& model : ModelsToTry({models, {}}, max_bytes)) {
      text += model.name + " ";
    }
    return text;
  };
  const InstalledModel usual = {std::string(kDefaultModelName), "", {1}, 20};
  const InstalledModel large = {"large", "", {2}, 100};
  const InstalledModel small = {"small", "", {3}, 10};
  const InstalledModel again = {"again", "", {3}, 10};
  const std::string first = usual.name + " ";
  EXPECT_EQ(names({}, 1000), "");
  EXPECT_EQ(names({large, small, again, usual}, 130), first + "small large ");
  EXPECT_EQ(names({large, small, again, usual}, 129), first + "small ");
  EXPECT_EQ(names({large, small, usual}, 1), first);
  EXPECT_EQ(names({large, small}, 1), "small ");
  std::vector<InstalledModel> many;
  for (uint8_t i = 9; i > 0; --i) {
    many.push_back({std::string(1, static_cast<char>('0' + i)), "", {i}, i});
  }
  EXPECT_EQ(names(many, 1000), "1 2 3 4 ");
}

TEST_F(ModelRegistryTest, ReportsWhatCannotBeRead) {
  const std::string folder = UserModelFolder();
  Install(folder, "good");
  std::ofstream(folder + "/bad.llmm") << "LLMMbad";
  std::ofstream(folder + "/other.txt") << "no model";
  fs::create_directory(folder + "/folder.llmm");
  ::mkfifo((folder + "/pipe.llmm").c_str(), 0600);
  const InstalledModels installed =
      ListInstalledModels({root_ + "/missing", folder});
  ASSERT_EQ(installed.models.size(), 1u);
  EXPECT_EQ(installed.models[0].name, "good");
  ASSERT_EQ(installed.problems.size(), 1u);
  EXPECT_NE(installed.problems[0].error.what.find("bad.llmm"),
            std::string::npos);
}

// Links in a circle: the system refuses to open them, to root as well.
TEST_F(ModelRegistryTest, WhatCannotBeReadIsNotMissing) {
  const std::string folder = UserModelFolder();
  Install(folder, "one");
  const std::string usual =
      folder + "/" + std::string(kDefaultModelName) + ".llmm";
  fs::create_symlink(usual, usual);
  const std::string reason =
      "cannot open " + usual + ": Too many levels of symbolic links";
  const uint8_t id[kModelIdBytes] = {0xab, 0x12, 0, 1, 2, 3, 4, 255};
  for (const Error& error :
       {FindModelByName("").error(), FindModelByName("nobody").error(),
        FindModelByName(kDefaultModelName).error(), FindModelById(id).error(),
        FindModelById(id, "known").error()}) {
    EXPECT_EQ(error.code, ErrorCode::kIo) << error.what;
    EXPECT_NE(error.what.find(reason), std::string::npos) << error.what;
    EXPECT_NE(error.what.find("make it readable"), std::string::npos);
    EXPECT_EQ(error.what.find("llma model pull"), std::string::npos);
  }
  EXPECT_EQ(FindModelByName("one")->name, "one");

  // A link that leads nowhere.
  fs::remove(usual);
  fs::create_symlink(folder + "/nowhere", usual);
  EXPECT_EQ(FindModelByName("").error().code, ErrorCode::kIo);
}

TEST_F(ModelRegistryTest, FoldersThatCannotBeListedAreNotEmpty) {
  const std::string path = root_ + "/circle";
  fs::create_symlink(path, path);
  ::setenv("LLMA_MODEL_PATH", path.c_str(), 1);
  const Error none = FindModelByName("").error();
  EXPECT_EQ(none.code, ErrorCode::kIo);
  EXPECT_NE(none.what.find(path + ": Too many levels"), std::string::npos)
      << none.what;
  // It may be the home of somebody else: the only model that is seen serves.
  Install(UserModelFolder(), "one");
  EXPECT_EQ(FindModelByName("")->name, "one");
  EXPECT_EQ(FindModelByName("two").error().code, ErrorCode::kIo);
}

TEST_F(ModelRegistryTest, ADamagedModelIsNotMissing) {
  const std::string folder = UserModelFolder();
  fs::create_directories(folder);
  std::ofstream(folder + "/abc.llmm") << "LLMMbad";
  const Error named = FindModelByName("abc").error();
  EXPECT_NE(named.code, ErrorCode::kModelMissing);
  EXPECT_NE(named.what.find("abc is damaged: " + folder + "/abc.llmm"),
            std::string::npos)
      << named.what;
  // It is no reason against others, and named where there is none.
  const Error other = FindModelByName("other").error();
  EXPECT_EQ(other.code, ErrorCode::kModelMissing);
  EXPECT_NE(other.what.find("not read: " + folder + "/abc.llmm"),
            std::string::npos)
      << other.what;
  Install(folder, "good");
  EXPECT_EQ(FindModelByName("")->name, "good");
}

TEST_F(ModelRegistryTest, NoDescriptorIsLeft) {
  ::setenv("LLMA_MODEL_PATH", kTinyPath.c_str(), 1);
  ASSERT_TRUE(FindModelByName("tiny"));
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few = {0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto found = FindModelByName("");
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kIo);
  EXPECT_NE(found.error().what.find("Too many open files (`ulimit -n` is"),
            std::string::npos)
      << found.error().what;
}

}  // namespace
}  // namespace llma
