// SPDX-License-Identifier: Apache-2.0
// Texts that the context models read before a content of their kind: they
// learn common words and turns, and the mixers their weights, before the first
// byte that costs anything. The texts are part of the format.
#ifndef LLMA_CM_START_TEXT_H_
#define LLMA_CM_START_TEXT_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace llma::cm {

// The values are part of the format.
enum class StartText : uint8_t {
  kNone = 0,
  kEnglish = 1,
  kGerman = 2,
  kCode = 3,  // programs: C, C++, Python and others
  kData = 4,  // JSON, XML, HTML, CSV, logs
};
inline constexpr uint32_t kNumStartTexts = 5;
// At most this is read before content of this size.
uint64_t MaxStartTextBytes(uint64_t content_bytes);

// What to read before content of this size: the end of the text, at most eight
// times as long as the content, so that short contents are not much work.
std::string_view GetStartText(StartText text, uint64_t content_bytes);

// The text that shares most with the content; kNone if none shares anything,
// or not enough with binary data.
StartText ChooseStartText(std::span<const uint8_t> content);

namespace internal {
extern const std::string_view kEnglishText;
extern const std::string_view kGermanText;
extern const std::string_view kCodeText;
extern const std::string_view kDataText;
}  // namespace internal

}  // namespace llma::cm

#endif  // LLMA_CM_START_TEXT_H_
