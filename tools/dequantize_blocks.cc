// SPDX-License-Identifier: Apache-2.0
// Standard input, blocks of one element format of GGUF, to binary32 numbers on
// standard output, for a test.
//
//   dequantize_blocks TYPE_NUMBER NUM_VALUES <BLOCKS >FLOATS
//   dequantize_blocks            lists the numbers and names of all formats
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "importer/formats/dequantize.h"
#include "platform/descriptors.h"

int main(int argc, char** argv) {
  if (argc == 1) {
    for (uint32_t type = 0; type < 256; ++type) {
      if (!llma::IsReadableType(type)) continue;
      std::printf("%u %s\n", type, llma::TensorTypeName(type).c_str());
    }
    return 0;
  }
  if (argc != 3) {
    std::fprintf(stderr, "usage: dequantize_blocks [TYPE_NUMBER NUM_VALUES]\n");
    return 2;
  }
  const auto type = static_cast<uint32_t>(std::strtoul(argv[1], nullptr, 10));
  std::vector<float> values(std::strtoul(argv[2], nullptr, 10));
  const auto blocks = llma::ReadAll(0, uint64_t{1} << 30);
  if (!blocks || !llma::IsReadableType(type) ||
      blocks->size() != llma::TensorRowBytes(type, values.size())) {
    std::fprintf(stderr, "type %s: cannot read this input\n",
                 llma::TensorTypeName(type).c_str());
    return 1;
  }
  llma::DequantizeRow(static_cast<llma::TensorType>(type), *blocks, values);
  const auto written =
      std::fwrite(values.data(), sizeof(float), values.size(), stdout);
  return written == values.size() ? 0 : 1;
}
