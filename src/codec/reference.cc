// SPDX-License-Identifier: Apache-2.0
#include "codec/reference.h"

#include <algorithm>
#include <bit>
#include <string>

#include "base/checksum.h"
#include "base/hex.h"

namespace llma {
namespace {

// From here on all tables are as large as they get.
constexpr uint64_t kMaxTableBytes = uint64_t{1} << 20;

std::string Describe(const ReferenceId& id) {
  ByteWriter digits;
  for (int i = 7; i >= 0; --i) {
    digits.StoreU8(static_cast<uint8_t>(id.xxh3 >> 8 * i));
  }
  return std::to_string(id.size_bytes) + " bytes with XXH3 " +
         ToHex(digits.bytes());
}

}  // namespace

Reference::Reference(std::vector<uint8_t> text)
    : text_(std::move(text)), id_{Xxh3(text_), text_.size()} {}

Result<std::shared_ptr<const Reference>> Reference::Create(
    std::vector<uint8_t> text) {
  if (text.size() > kMaxReferenceBytes) {
    return Error{ErrorCode::kLimit,
                 "a reference has at most " +
                     std::to_string(kMaxReferenceBytes >> 20) + " MiB"};
  }
  if (text.empty()) return std::shared_ptr<const Reference>();
  return std::shared_ptr<const Reference>(new Reference(std::move(text)));
}

Bytes Reference::read_part() const {
  const Bytes all(text_);
  return all.last(static_cast<size_t>(ReadBytes(id_)));
}

uint64_t Reference::TableBytes(uint64_t predicted_bytes) const {
  return std::min(std::bit_ceil(read_part().size() + predicted_bytes),
                  kMaxTableBytes);
}

Status CheckReference(const ReferenceId& needed, const Reference* given) {
  if (given != nullptr && given->id() == needed) return OkStatus();
  std::string what = "needs the reference of " + Describe(needed);
  if (given != nullptr) what += ", not one of " + Describe(given->id());
  return Error{ErrorCode::kReference, std::move(what)};
}

}  // namespace llma
