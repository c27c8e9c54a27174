// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/safetensors_reader.h"

#include <gtest/gtest.h>

#include "importer/testing/hf_folder_editor.h"

namespace llma {
namespace {

using Json = nlohmann::json;

SafetensorsEditor Sample() {
  SafetensorsEditor e;
  e.Add("scalar", "F32", {}, std::vector<uint8_t>(4, 1));
  e.Add("row", "BF16", {3}, std::vector<uint8_t>(6, 2));
  e.Add("block", "F16", {2, 3, 4}, std::vector<uint8_t>(48, 3));
  return e;
}

// The error of a file with a changed header, given by a JSON pointer.
std::string ErrorOf(const char* pointer, const Json& value) {
  SafetensorsEditor e = Sample();
  e.header[Json::json_pointer(pointer)] = value;
  const std::vector<uint8_t> bytes = e.Encode();
  const auto tensors = ParseSafetensors(bytes);
  return tensors ? "" : tensors.error().what;
}

TEST(SafetensorsReaderTest, ReadsTensors) {
  SafetensorsEditor e = Sample();
  e.header["__metadata__"] = {{"format", "pt"}};
  const std::vector<uint8_t> bytes = e.Encode();
  const auto tensors = ParseSafetensors(bytes);
  ASSERT_TRUE(tensors) << tensors.error().what;
  ASSERT_EQ(tensors->size(), 3u);
  EXPECT_EQ(tensors->at("scalar").num_rows, 1u);
  EXPECT_EQ(tensors->at("scalar").num_cols, 1u);
  EXPECT_EQ(tensors->at("row").num_rows, 1u);
  EXPECT_EQ(tensors->at("row").num_cols, 3u);
  const SourceTensor& block = tensors->at("block");
  EXPECT_EQ(block.num_rows, 6u);
  EXPECT_EQ(block.num_cols, 4u);
  EXPECT_EQ(block.type, 1u);
  EXPECT_EQ(block.data.size(), 48u);
  EXPECT_EQ(block.data[0], 3);
}

TEST(SafetensorsReaderTest, ErrorsNameTheField) {
  EXPECT_EQ(ErrorOf("/row/dtype", "I64"),
            "tensor row: dtype I64 (F32, F16, BF16 can be read)");
  EXPECT_EQ(ErrorOf("/row/dtype", 1), "tensor row: dtype is not a string");
  EXPECT_EQ(ErrorOf("/row", 1), "tensor row: dtype is not a string");
  EXPECT_EQ(ErrorOf("/row/shape", 3),
            "tensor row: shape is not an array of a few sizes");
  EXPECT_EQ(ErrorOf("/row/shape", Json::array({1, 1, 1, 1, 1, 1, 1, 1, 3})),
            "tensor row: shape is not an array of a few sizes");
  for (const Json& size : {Json(0), Json(-3), Json(3.0), Json(1ull << 41),
                           Json("3"), Json(nullptr)}) {
    EXPECT_EQ(ErrorOf("/row/shape/0", size),
              "tensor row: shape has a size that is out of bounds");
  }
  const uint64_t large = 1ull << 39;
  EXPECT_EQ(ErrorOf("/row/shape", {large, large, large}),
            "tensor row: shape has a size that is out of bounds");
  for (const Json& offsets :
       {Json(4), Json::array({4}), Json::array({4, 10, 12}),
        Json::array({-4, 2}), Json::array({4, "10"})}) {
    EXPECT_EQ(ErrorOf("/row/data_offsets", offsets),
              "tensor row: data_offsets is not a pair of counts");
  }
  EXPECT_EQ(ErrorOf("/row/data_offsets", {10, 4}),
            "tensor row: data_offsets goes beyond the end of the file: is it "
            "cut off?");
  EXPECT_EQ(ErrorOf("/row/data_offsets", {53, 59}),
            "tensor row: data_offsets goes beyond the end of the file: is it "
            "cut off?");
  EXPECT_EQ(ErrorOf("/row/data_offsets", {0, ~0ull}),
            "tensor row: data_offsets goes beyond the end of the file: is it "
            "cut off?");
  EXPECT_EQ(ErrorOf("/row/shape/0", 4),
            "tensor row: data_offsets does not fit the shape");
  EXPECT_EQ(ErrorOf("/row/strides", {1}), "tensor row: a field is not known");
  EXPECT_EQ(ErrorOf("/__metadata__", {{"format", 1}}),
            "__metadata__ is not a map of strings");
  EXPECT_EQ(ErrorOf("/__metadata__", 1),
            "__metadata__ is not a map of strings");
}

TEST(SafetensorsReaderTest, TensorsLieOneBehindTheOther) {
  EXPECT_EQ(ErrorOf("/row/data_offsets", {0, 6}),
            "tensor scalar: data_offsets overlaps another tensor");
  EXPECT_EQ(ErrorOf("/row/data_offsets", {3, 9}),
            "tensor row: data_offsets overlaps another tensor");
  EXPECT_EQ(ErrorOf("/row/data_offsets", {8, 14}),
            "tensor row: data_offsets leaves a gap");
  SafetensorsEditor e = Sample();
  e.data.push_back(0);
  EXPECT_EQ(ParseSafetensors(e.Encode()).error().what,
            "bytes after the last tensor");
}

TEST(SafetensorsReaderTest, BadHeaders) {
  const auto error_of = [](const std::string& header) {
    return ParseSafetensors(SafetensorsEditor::Encode(header, {})).error();
  };
  EXPECT_EQ(error_of("").what, "JSON: malformed");
  EXPECT_EQ(error_of("[]").what, "the header is not a list of tensors");
  EXPECT_EQ(error_of(R"({"a":1,"a":1})").what, "JSON: a twice");
  EXPECT_TRUE(ParseSafetensors(SafetensorsEditor::Encode("{}  ", {})));
  std::vector<uint8_t> bytes = Sample().Encode();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseSafetensors(Bytes(bytes).first(size)));
  }
  bytes[3] = 0xff;  // the header's size
  EXPECT_EQ(ParseSafetensors(bytes).error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace llma
