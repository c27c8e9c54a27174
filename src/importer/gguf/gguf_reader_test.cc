// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf/gguf_reader.h"

#include <gtest/gtest.h>

#include "importer/testing/gguf_editor.h"

namespace llma {
namespace {

// Metadata of every type, and two tensors.
GgufEditor Sample() {
  GgufEditor e;
  const auto set = [&e](const char* key, GgufType type, uint64_t bits,
                        int num_bytes) {
    ByteWriter out;
    for (int i = 0; i < num_bytes; ++i) {
      out.StoreU8(static_cast<uint8_t>(bits >> (8 * i)));
    }
    e.Set(key, type, out);
  };
  set("u8", GgufType::kU8, 200, 1);
  set("i8", GgufType::kI8, 0xff, 1);
  set("u16", GgufType::kU16, 60000, 2);
  set("i16", GgufType::kI16, 1000, 2);
  set("u32", GgufType::kU32, 0xfffffffe, 4);
  set("i32", GgufType::kI32, 0x7fffffff, 4);
  set("bool", GgufType::kBool, 1, 1);
  set("u64", GgufType::kU64, 5, 8);
  set("large", GgufType::kU64, uint64_t{1} << 32, 8);
  set("i64", GgufType::kI64, ~uint64_t{0}, 8);
  set("f64", GgufType::kF64, 0, 8);
  e.SetF32("f32", 1.5f);
  e.SetString("string", "text");
  e.SetStrings("strings", {"a", "", "ccc"});
  e.SetU32s("numbers", {1, 2, 3});
  ByteWriter nested;  // an array of an array of one u16
  nested.StoreU32(9);
  nested.StoreU64(1);
  nested.StoreU32(2);
  nested.StoreU64(1);
  nested.StoreU16(7);
  e.Set("nested", GgufType::kArray, nested);
  e.tensors["one"] = {{4}, 0, std::vector<uint8_t>(16, 1)};
  e.tensors["two"] = {{32, 2, 3}, 8, std::vector<uint8_t>(34 * 6, 2)};
  return e;
}

ErrorCode ParseCode(Bytes bytes) {
  const auto gguf = GgufReader::Parse(bytes);
  return gguf ? ErrorCode{} : gguf.error().code;
}

TEST(GgufReaderTest, ReadsEveryType) {
  for (const uint32_t version : {2u, 3u}) {
    const std::vector<uint8_t> bytes = Sample().Encode(version);
    const auto gguf = GgufReader::Parse(bytes);
    ASSERT_TRUE(gguf) << gguf.error().what;
    EXPECT_EQ(*gguf->GetU32("u8"), 200u);
    EXPECT_EQ(*gguf->GetU32("u16"), 60000u);
    EXPECT_EQ(*gguf->GetU32("i16"), 1000u);
    EXPECT_EQ(*gguf->GetU32("u32"), 0xfffffffeu);
    EXPECT_EQ(*gguf->GetU32("i32"), 0x7fffffffu);
    EXPECT_EQ(*gguf->GetU32("u64"), 5u);
    EXPECT_EQ(*gguf->GetF32("f32"), 1.5f);
    EXPECT_EQ(*gguf->GetString("string"), "text");
    EXPECT_EQ(*gguf->GetStrings("strings"),
              (std::vector<std::string_view>{"a", "", "ccc"}));
    EXPECT_EQ(*gguf->GetU32s("numbers"), (std::vector<uint32_t>{1, 2, 3}));
    EXPECT_TRUE(gguf->Has("nested"));
    const SourceTensor& one = gguf->tensors().at("one");
    EXPECT_EQ(one.num_cols, 4u);
    EXPECT_EQ(one.num_rows, 1u);
    EXPECT_EQ(one.data.size(), 16u);
    const SourceTensor& two = gguf->tensors().at("two");
    EXPECT_EQ(two.num_cols, 32u);
    EXPECT_EQ(two.num_rows, 6u);
    EXPECT_EQ(two.data[0], 2);
  }
}

TEST(GgufReaderTest, GettersNameTheKey) {
  const std::vector<uint8_t> bytes = Sample().Encode();
  const auto gguf = GgufReader::Parse(bytes);
  ASSERT_TRUE(gguf);
  EXPECT_EQ(gguf->GetU32("nothing").error().what,
            "GGUF: metadata nothing is missing");
  for (const char* key : {"i8", "large", "i64", "f64", "f32", "bool", "string",
                          "strings", "nothing"}) {
    EXPECT_FALSE(gguf->GetU32(key)) << key;
  }
  EXPECT_FALSE(gguf->GetF32("bool"));
  EXPECT_FALSE(gguf->GetF32("string"));
  EXPECT_FALSE(gguf->GetString("strings"));
  EXPECT_FALSE(gguf->GetStrings("numbers"));
  EXPECT_FALSE(gguf->GetU32s("strings"));
  EXPECT_FALSE(gguf->GetU32s("u8"));
}

TEST(GgufReaderTest, AnyAlignment) {
  GgufEditor e = Sample();
  e.SetU32("general.alignment", 4096);
  EXPECT_EQ(ParseCode(e.Encode(3, 4096)), ErrorCode{});
  for (const uint32_t bad : {0u, 3u, 1u << 21}) {
    e.SetU32("general.alignment", bad);
    EXPECT_EQ(ParseCode(e.Encode(3, 32)), ErrorCode::kUnsupported);
  }
}

TEST(GgufReaderTest, OtherVersions) {
  const GgufEditor e = Sample();
  for (const uint32_t version : {0u, 1u, 4u, 0x03000000u}) {
    EXPECT_EQ(ParseCode(e.Encode(version)), ErrorCode::kUnsupported);
  }
  EXPECT_EQ(ParseCode(AsBytes("GGU")), ErrorCode::kBadMagic);
  EXPECT_EQ(ParseCode(AsBytes("GGML....")), ErrorCode::kBadMagic);
}

TEST(GgufReaderTest, EveryTruncationIsFound) {
  const std::vector<uint8_t> bytes = Sample().Encode();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(ParseCode(Bytes(bytes).first(size)), ErrorCode{}) << size;
  }
}

TEST(GgufReaderTest, CountsAreChecked) {
  const auto with_counts = [](uint64_t num_tensors, uint64_t num_values) {
    ByteWriter out;
    out.StoreBytes(AsBytes("GGUF"));
    out.StoreU32(3);
    out.StoreU64(num_tensors);
    out.StoreU64(num_values);
    return std::move(out).TakeBytes();
  };
  EXPECT_EQ(ParseCode(with_counts(0, 0)), ErrorCode{});
  EXPECT_EQ(ParseCode(with_counts(~0ull, 0)), ErrorCode::kLimit);
  EXPECT_EQ(ParseCode(with_counts(0, ~0ull)), ErrorCode::kLimit);
  EXPECT_EQ(ParseCode(with_counts(1, 0)), ErrorCode::kTruncated);
}

TEST(GgufReaderTest, ArraysAreChecked) {
  for (const uint64_t count : {uint64_t{64}, uint64_t{1} << 61, ~uint64_t{0}}) {
    for (const uint32_t type : {0u, 5u, 8u, 9u, 12u}) {
      GgufEditor e;
      ByteWriter array;
      array.StoreU32(type);
      array.StoreU64(count);
      e.Set("array", GgufType::kArray, array);
      EXPECT_NE(ParseCode(e.Encode()), ErrorCode{}) << count << " " << type;
    }
  }
  GgufEditor deep;
  ByteWriter array;
  for (int i = 0; i < 100000; ++i) {
    array.StoreU32(9);
    array.StoreU64(1);
  }
  deep.Set("deep", GgufType::kArray, array);
  EXPECT_EQ(ParseCode(deep.Encode()), ErrorCode::kCorrupt);
  GgufEditor unknown;
  unknown.Set("unknown", GgufType{13}, array);
  EXPECT_EQ(ParseCode(unknown.Encode()), ErrorCode::kCorrupt);
}

TEST(GgufReaderTest, ShapesAreChecked) {
  const std::vector<uint64_t> bad[] = {{},
                                       {0},
                                       {4, 0},
                                       {1, 1, 1, 1, 4},
                                       {~0ull, ~0ull},
                                       {1ull << 32, 1ull << 32}};
  for (const auto& dims : bad) {
    GgufEditor e = Sample();
    e.tensors["one"].dims = dims;
    EXPECT_EQ(ParseCode(e.Encode()), ErrorCode::kCorrupt);
  }
  GgufEditor large = Sample();
  large.tensors["two"].dims = {1 << 20, 1 << 20};
  EXPECT_EQ(ParseCode(large.Encode()), ErrorCode::kTruncated);
}

TEST(GgufReaderTest, UnknownTensorTypesHaveNoData) {
  GgufEditor e = Sample();
  e.tensors["one"].type = 12;
  const std::vector<uint8_t> bytes = e.Encode();
  const auto gguf = GgufReader::Parse(bytes);
  ASSERT_TRUE(gguf);
  EXPECT_TRUE(gguf->tensors().at("one").data.empty());
}

TEST(GgufReaderTest, NamesComeOnce) {
  GgufEditor e;
  e.SetU32("a", 1);
  e.SetU32("b", 1);
  std::vector<uint8_t> bytes = e.Encode();
  for (uint8_t& byte : bytes) {
    if (byte == 'b') byte = 'a';
  }
  EXPECT_EQ(ParseCode(bytes), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace llma
