// SPDX-License-Identifier: Apache-2.0
#include "platform/file_place.h"

#include "platform/testing/test_folder.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

class FilePlaceTest : public FolderTest {};

#if !defined(_WIN32)
TEST_F(FilePlaceTest, StaysWhereItIs) {
  fs::create_directory(Path("dir"));
  Make("dir/a", "old");
  const auto place = FilePlace::Find(Path("dir/a"));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->path(), Path("dir/a"));
  const auto info = place->Info();
  ASSERT_TRUE(info);
  fs::rename(Path("dir"), Path("moved"));
  fs::create_directory(Path("dir"));
  Make("dir/a", "another");
  EXPECT_TRUE(place->Is(*info));
  EXPECT_TRUE(place->SyncFolder());
  EXPECT_TRUE(place->Unlink());
  EXPECT_FALSE(fs::exists(Path("moved/a")));
  EXPECT_EQ(Content("dir/a"), "another");
}
#endif

TEST_F(FilePlaceTest, KnowsItsFileFromAnother) {
  const auto place = FilePlace::Find(Make("a", "old"));
  ASSERT_TRUE(place);
  const auto info = place->Info();
  ASSERT_TRUE(info);
  fs::rename(Path("a"), Path("b"));
  EXPECT_FALSE(place->Is(*info));
  Make("a", "new");
  EXPECT_FALSE(place->Is(*info));
  EXPECT_TRUE(place->Sibling("b").Is(*info));
}

#if !defined(_WIN32)
TEST_F(FilePlaceTest, FollowsLinks) {
  fs::create_directory(Path("dir"));
  Make("dir/a", "content");
  fs::create_symlink("dir/a", Path("relative"));
  fs::create_symlink(Path("relative"), Path("absolute"));
  fs::create_symlink("loop", Path("loop"));
  const auto target = FilePlace::Find(Path("absolute"))->FollowLinks();
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path(), Path("dir/a"));
  const auto info = target->Info();
  EXPECT_TRUE(info && info->is_regular());
  EXPECT_FALSE(FilePlace::Find(Path("loop"))->FollowLinks());
  EXPECT_EQ(FilePlace::Find(Path("no/a")).error().code, ErrorCode::kIo);
}
#endif

TEST_F(FilePlaceTest, NamesInTheWorkingFolder) {
  const auto place = FilePlace::Find("name");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->path(), "name");
  EXPECT_EQ(FilePlace::Find("/name")->path(), "/name");
}

}  // namespace
}  // namespace llma
