// SPDX-License-Identifier: Apache-2.0
#include "store/git_blob.h"

#include <array>
#include <bit>

#include "base/hex.h"
#include "platform/mapped_file.h"

namespace llma::store {
namespace {

// FIPS 180-4. Git's names are not to be trusted against those who make files
// that collide, as others may be: they find what was damaged on its way.
class Sha1 {
 public:
  void Update(Bytes bytes) {
    for (const uint8_t byte : bytes) Append(byte);
  }
  std::array<uint8_t, 20> Digest() {
    const uint64_t num_bits = num_bytes_ * 8;
    Append(0x80);
    while (num_bytes_ % kBlockBytes != kBlockBytes - 8) Append(0);
    for (int shift = 56; shift >= 0; shift -= 8) {
      Append(static_cast<uint8_t>(num_bits >> shift));
    }
    std::array<uint8_t, 20> digest;
    for (size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
  }

 private:
  static constexpr size_t kBlockBytes = 64;

  void Append(uint8_t byte) {
    const size_t at = num_bytes_++ % kBlockBytes;
    block_[at / 4] = block_[at / 4] << 8 | byte;
    if (at + 1 == kBlockBytes) AddBlock();
  }
  void AddBlock() {
    std::array<uint32_t, 80> w;
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = i < 16 ? block_[i]
                    : std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    auto [a, b, c, d, e] = state_;
    for (size_t i = 0; i < w.size(); ++i) {
      const uint32_t mixed = i < 20   ? (d ^ (b & (c ^ d))) + 0x5a827999
                             : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                             : i < 60 ? ((b & c) | (d & (b | c))) + 0x8f1bbcdc
                                      : (b ^ c ^ d) + 0xca62c1d6;
      const uint32_t next = std::rotl(a, 5) + mixed + e + w[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    const std::array<uint32_t, 5> added = {a, b, c, d, e};
    for (size_t i = 0; i < added.size(); ++i) state_[i] += added[i];
  }

  std::array<uint32_t, 5> state_ = {0x67452301, 0xefcdab89, 0x98badcfe,
                                    0x10325476, 0xc3d2e1f0};
  std::array<uint32_t, 16> block_ = {};
  uint64_t num_bytes_ = 0;
};

}  // namespace

bool IsGitId(const std::string& text) {
  return text.size() == 40 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string GitBlobId(Bytes content) {
  const std::string head = "blob " + std::to_string(content.size()) + '\0';
  Sha1 sha1;
  sha1.Update(AsBytes(head));
  sha1.Update(content);
  return ToHex(sha1.Digest());
}

Result<std::string> GitBlobIdOfFile(const std::string& path) {
  LLMA_ASSIGN(const MappedFile file, MappedFile::Open(path));
  return GitBlobId(file.bytes());
}

}  // namespace llma::store
