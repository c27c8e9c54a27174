// SPDX-License-Identifier: Apache-2.0
#include "store/tar_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace llma::store {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr size_t kMaxNameBytes = 100;
constexpr uint64_t kMaxFileBytes = (uint64_t{1} << 33) - 1;  // 11 octal digits
constexpr size_t kChecksumOffset = 148;

// A header: fields of text at fixed offsets.
class Header {
 public:
  void Set(size_t offset, std::string_view text) {
    std::copy(text.begin(), text.end(), block_.begin() + offset);
  }
  // `digits` octal digits and a NUL.
  void SetOctal(size_t offset, int digits, uint64_t value) {
    std::array<char, 24> text;
    std::snprintf(text.data(), text.size(), "%0*llo", digits,
                  static_cast<unsigned long long>(value));
    Set(offset, text.data());
  }
  Bytes Finish() {
    Set(kChecksumOffset, "        ");
    uint64_t sum = 0;
    for (const uint8_t byte : block_) sum += byte;
    SetOctal(kChecksumOffset, 6, sum);
    block_[kChecksumOffset + 6] = 0;
    return block_;
  }

 private:
  std::array<uint8_t, kBlockBytes> block_{};
};

}  // namespace

Status TarWriter::Add(const std::string& name, Bytes content) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    return Error{ErrorCode::kLimit, name + ": a name too long for an archive"};
  }
  if (content.size() > kMaxFileBytes) {
    return Error{ErrorCode::kLimit, name + ": too large for an archive"};
  }
  Header header;
  header.Set(0, name);
  header.SetOctal(100, 7, 0644);  // mode
  header.SetOctal(108, 7, 0);     // user
  header.SetOctal(116, 7, 0);     // group
  header.SetOctal(124, 11, content.size());
  header.SetOctal(136, 11, 0);  // time
  header.Set(156, "0");         // a regular file
  header.Set(257, std::string_view("ustar\0"
                                   "00",
                                   8));
  LLMA_TRY(sink_(header.Finish()));
  LLMA_TRY(sink_(content));
  const std::vector<uint8_t> padding(
      (kBlockBytes - content.size() % kBlockBytes) % kBlockBytes);
  return sink_(padding);
}

Status TarWriter::Finish() {
  const std::vector<uint8_t> end(2 * kBlockBytes);
  return sink_(end);
}

}  // namespace llma::store
