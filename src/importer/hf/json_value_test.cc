// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/json_value.h"

#include <gtest/gtest.h>

#include "importer/hf/json_fields.h"

namespace llma {
namespace {

Result<JsonValue> Parse(const std::string& text) {
  return JsonValue::Parse(AsBytes(text));
}

TEST(JsonValueTest, ReadsEveryType) {
  const auto json = Parse(
      R"({"z": null, "t": true, "n": 18446744073709551615, "m": -7,
          "f": 1e-05, "s": "a\u00e9\n", "a": [1, [2], {}], "o": {"k": 1}})");
  ASSERT_TRUE(json) << json.error().what;
  EXPECT_TRUE(json->Find("z")->IsNull());
  EXPECT_TRUE(*json->Find("t")->AsBool());
  EXPECT_EQ(json->Find("n")->AsCount(), ~uint64_t{0});
  EXPECT_EQ(json->Find("m")->AsCount(), std::nullopt);
  EXPECT_EQ(json->Find("m")->AsNumber(), -7);
  EXPECT_EQ(json->Find("f")->AsNumber(), 1e-05);
  EXPECT_EQ(json->Find("f")->AsCount(), std::nullopt);
  EXPECT_EQ(*json->Find("s")->AsString(), "a\xc3\xa9\n");
  const JsonValue::Array& array = *json->Find("a")->AsArray();
  ASSERT_EQ(array.size(), 3u);
  EXPECT_EQ((*array[1].AsArray())[0].AsCount(), 2u);
  EXPECT_TRUE(array[2].AsObject()->empty());
  EXPECT_EQ(json->Find("o")->Find("k")->AsCount(), 1u);
  EXPECT_EQ(json->Find("missing"), nullptr);
  EXPECT_EQ(json->Find("a")->Find("k"), nullptr);
  EXPECT_EQ(json->Find("a")->AsBool(), nullptr);
}

TEST(JsonValueTest, RefusesWhatIsMalformed) {
  for (const char* text :
       {"", " ", "{", "[1,]", "{\"a\":}", "1 2", "nul", "'a'", "\"\xff\"",
        "\"\\ud800\"", "1e999", "[1}", "{1:2}", "NaN", "\xef\xbb"}) {
    const auto json = Parse(text);
    ASSERT_FALSE(json) << text;
    EXPECT_EQ(json.error().code, ErrorCode::kCorrupt) << text;
  }
}

TEST(JsonValueTest, RefusesAKeyTwice) {
  EXPECT_EQ(Parse(R"({"a": 1, "b": 2, "a": 1})").error().what, "JSON: a twice");
  EXPECT_EQ(Parse(R"([{"x": {"a": 1, "\u0061": 2}}])").error().what,
            "JSON: a twice");
  EXPECT_TRUE(Parse(R"([{"a": 1}, {"a": 1}])"));
}

TEST(JsonValueTest, DepthAndSizeAreBounded) {
  EXPECT_TRUE(Parse(std::string(32, '[') + std::string(32, ']')));
  const auto deep = Parse(std::string(100000, '['));
  EXPECT_EQ(deep.error().code, ErrorCode::kLimit);
  std::string many = "[0";
  for (int i = 0; i < 1 << 23; ++i) many += ",0";
  EXPECT_EQ(Parse(many + "]").error().code, ErrorCode::kLimit);
}

TEST(JsonFieldsTest, ErrorsNameTheField) {
  const auto json =
      Parse(R"({"n": 5, "big": 4294967296, "s": "t", "z": null})");
  ASSERT_TRUE(json);
  const JsonFields fields(*json), inner(*json, "outer");
  EXPECT_EQ(*fields.GetU32("n"), 5u);
  EXPECT_EQ(*fields.GetU32Or("z", 7), 7u);
  EXPECT_EQ(*fields.GetF32Or("n", 0), 5);
  EXPECT_EQ(*fields.GetStringOr("s", ""), "t");
  EXPECT_FALSE(fields.Has("z"));
  EXPECT_EQ(fields.GetU32("big").error().what,
            "field big is not a 32-bit count");
  EXPECT_EQ(fields.GetU32Or("s", 0).error().what,
            "field s is not a 32-bit count");
  EXPECT_EQ(fields.GetString("n").error().what, "field n is not a string");
  EXPECT_EQ(fields.GetArray("n").error().what, "field n is not an array");
  EXPECT_EQ(fields.GetObject("n").error().what, "field n is not an object");
  EXPECT_EQ(fields.GetBoolOr("n", true).error().what,
            "field n is neither true nor false");
  EXPECT_EQ(inner.GetObject("no").error().what, "field outer.no is missing");
  EXPECT_EQ(inner.GetF32Or("s", 0).error().what,
            "field outer.s is not a number");
}

}  // namespace
}  // namespace llma
