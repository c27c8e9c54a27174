// SPDX-License-Identifier: Apache-2.0
#include "cli/files/file_names.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace llma::cli {
namespace {

namespace fs = std::filesystem;

class FileNames : public testing::Test {
 protected:
  FileNames() {
    std::string name = fs::temp_directory_path() / "llma-test-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~FileNames() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }

  std::string Make(const std::string& name, const std::string& content) {
    std::ofstream(Path(name)) << content;
    return Path(name);
  }

  // "IN>OUT" without the folder, or "error".
  std::string Decompressed(const std::string& a, const std::string& b) const {
    const auto pair = OrderOperands(Path(a), Path(b));
    if (!pair) return "error";
    return fs::path(pair->in).filename().string() + ">" +
           fs::path(pair->out).filename().string();
  }

  const std::string magic_{{'\x89', 'l', 'm'}};
  fs::path folder_;
};

TEST_F(FileNames, DerivesNames) {
  EXPECT_EQ(*CompressedName("a", ".llma"), "a.llma");
  EXPECT_FALSE(CompressedName("a.llma", ".llma"));
  EXPECT_EQ(*CompressedName("a.llma", ".x"), "a.llma.x");
  EXPECT_EQ(*CompressedName("/x/.llma", ".llma"), "/x/.llma.llma");
  EXPECT_EQ(*DecompressedName("a.txt.llma", ".llma"), "a.txt");
  EXPECT_FALSE(DecompressedName("a.txt", ".llma"));
  EXPECT_FALSE(DecompressedName("x/.llma", ".llma"));
}

TEST_F(FileNames, OrdersTheOperandsOfDecompressing) {
  Make("ours", magic_ + "...");
  Make("ours2", magic_ + "...");
  Make("text", "text");
  Make("short", magic_.substr(0, 2));
  EXPECT_EQ(Decompressed("ours", "new"), "ours>new");
  EXPECT_EQ(Decompressed("new", "ours"), "ours>new");
  EXPECT_EQ(Decompressed("new", "text"), "new>text");
  EXPECT_EQ(Decompressed("new", "short"), "new>short");
  EXPECT_EQ(Decompressed("new", "new2"), "new>new2");
  EXPECT_EQ(Decompressed("text", "new"), "text>new");
  // Opening the output fails.
  EXPECT_EQ(Decompressed("ours", "text"), "ours>text");
  EXPECT_EQ(Decompressed("ours", "ours"), "ours>ours");
  EXPECT_EQ(Decompressed("ours", "ours2"), "error");
  EXPECT_EQ(Decompressed("text", "ours"), "error");
  EXPECT_EQ(OrderOperands(Path("ours"), "/dev/null")->out, "/dev/null");
  EXPECT_EQ(OrderOperands("-", Path("ours"))->in, "-");
  EXPECT_FALSE(OrderOperands(Path("ours"), Path("new"))->may_overwrite);
  EXPECT_TRUE(OrderToCompress("a", "b.llma", ".llma").may_overwrite);
  EXPECT_FALSE(OrderToCompress("a", "b.txt", ".llma").may_overwrite);
}

TEST_F(FileNames, ListsFoldersInOrder) {
  for (const char* name : {"b", "a\nb", "c.llma", "sub"}) {
    if (std::string(name) == "sub") {
      fs::create_directory(Path("sub"));
      continue;
    }
    Make(name, "x");
  }
  Make("sub/z", "x");
  fs::create_symlink(Path("b"), Path("link"));
  Options options;
  options.recursive = true;
  options.operands = {folder_.string(), "missing"};
  int status = 0;
  const Messages messages(-1);
  const std::vector<std::string> expected = {Path("a\nb"), Path("b"),
                                             Path("sub/z")};
  EXPECT_EQ(ListInputs(options, messages, status), expected);
  EXPECT_EQ(status, kExitError);  // of the missing one
  status = 0;
  options.operation = Operation::kTest;
  options.operands = {folder_.string()};
  EXPECT_EQ(ListInputs(options, messages, status),
            std::vector<std::string>{Path("c.llma")});
  EXPECT_EQ(status, 0);
}

TEST_F(FileNames, ReadsNamesThatEndWithNul) {
  Options options;
  options.names_file = Make("names", std::string("a b\0c\nd\0\0e", 11));
  options.operands = {"first"};
  int status = 0;
  const std::vector<std::string> expected = {"first", "a b", "c\nd", "e"};
  ASSERT_TRUE(AddNames(options));
  EXPECT_EQ(ListInputs(options, Messages(-1), status), expected);
  EXPECT_EQ(status, kExitSuccess);
  options.names_file = Path("no");
  EXPECT_FALSE(AddNames(options));
}

}  // namespace
}  // namespace llma::cli
