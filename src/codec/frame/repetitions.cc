// SPDX-License-Identifier: Apache-2.0
#include "codec/frame/repetitions.h"

#include "codec/frame/frame_checks.h"

namespace llma {
namespace {

struct ListModel {
  NumberModel gap, size, distance;
};

template <class Coder>
Repetition CodeRepetition(Coder& coder, ListModel& model,
                          const Repetition& known) {
  Repetition coded = known;
  coded.gap_bytes = model.gap.Code(coder, known.gap_bytes);
  coded.size_bytes =
      kMinRepetitionBytes +
      model.size.Code(coder, known.size_bytes - kMinRepetitionBytes);
  coded.distance_bytes =
      1 + model.distance.Code(coder, known.distance_bytes - 1);
  return coded;
}

}  // namespace

std::vector<uint8_t> LeaveOut(std::span<const Repetition> repetitions,
                              Bytes content) {
  std::vector<uint8_t> predicted;
  for (const Repetition& r : repetitions) {
    const auto gap_bytes = static_cast<size_t>(r.gap_bytes);
    const Bytes gap = content.first(gap_bytes);
    predicted.insert(predicted.end(), gap.begin(), gap.end());
    content = content.subspan(gap_bytes + static_cast<size_t>(r.size_bytes));
  }
  predicted.insert(predicted.end(), content.begin(), content.end());
  return predicted;
}

Result<std::vector<uint8_t>> PutBack(std::span<const Repetition> repetitions,
                                     std::vector<uint8_t> predicted,
                                     Bytes reference) {
  if (repetitions.empty()) return predicted;
  std::vector<uint8_t> content;
  Bytes left(predicted);
  for (const Repetition& r : repetitions) {
    if (r.gap_bytes > left.size() ||
        r.distance_bytes > reference.size() + content.size() + r.gap_bytes) {
      return Error{ErrorCode::kCorrupt,
                   "a repetition does not fit the content"};
    }
    const auto gap_bytes = static_cast<size_t>(r.gap_bytes);
    const auto size_bytes = static_cast<size_t>(r.size_bytes);
    const Bytes gap = left.first(gap_bytes);
    content.insert(content.end(), gap.begin(), gap.end());
    left = left.subspan(gap_bytes);
    const size_t begin = content.size();
    content.resize(begin + size_bytes);
    // Byte by byte, for they may overlap.
    size_t from =
        reference.size() + begin - static_cast<size_t>(r.distance_bytes);
    for (size_t to = begin; to < content.size(); ++to, ++from) {
      content[to] = from < reference.size() ? reference[from]
                                            : content[from - reference.size()];
    }
  }
  content.insert(content.end(), left.begin(), left.end());
  return content;
}

void EncodeRepetitions(std::span<const Repetition> repetitions,
                       BinaryEncoder& coder) {
  ListModel model;
  for (const Repetition& r : repetitions) CodeRepetition(coder, model, r);
}

Result<std::vector<Repetition>> DecodeRepetitions(uint64_t repeated_bytes,
                                                  BinaryDecoder& coder) {
  ListModel model;
  std::vector<Repetition> repetitions;
  while (repeated_bytes > 0) {
    const Repetition r =
        CodeRepetition(coder, model, {0, kMinRepetitionBytes, 1});
    LLMA_TRY(CheckNotTruncated(coder));
    if (r.size_bytes > repeated_bytes) {
      return Error{ErrorCode::kCorrupt,
                   "repetitions are larger than the header says"};
    }
    repeated_bytes -= r.size_bytes;
    repetitions.push_back(r);
  }
  return repetitions;
}

}  // namespace llma
