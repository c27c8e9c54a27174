// SPDX-License-Identifier: Apache-2.0
// What each piece of a text costs.
#include <algorithm>
#include <mutex>

#include "api/api_compress_options.h"
#include "codec/file/file_encoder.h"

using namespace llma::api;

struct llma_inspection {
  llma_inspection_info info{};
  std::vector<llma::PieceCost> pieces;
  SharedModel model;  // of the alternatives
};

namespace {

constexpr uint32_t kMaxAlternatives = 64;

llma::Status CheckIndex(const llma_inspection& inspection, uint64_t index) {
  if (index < inspection.pieces.size()) return llma::OkStatus();
  return Usage("there is no such piece");
}

}  // namespace

extern "C" {

llma_status llma_inspect(const void* content, size_t content_bytes,
                         uint32_t max_alternatives, const llma_options* options,
                         llma_inspection** inspection, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(inspection);
    if (max_alternatives > kMaxAlternatives) {
      return Usage("more than 64 alternatives");
    }
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(content, content_bytes));
    auto made = std::make_unique<llma_inspection>();
    llma_options given = Copy(options);
    given.total_bytes = content_bytes;
    if (given.auto_model != 0) return Usage("inspecting takes one model");
    CompressionModels models(given);
    LLMA_ASSIGN(const llma::Model* model,
                models.ForCompressing(static_cast<int>(given.level)));
    made->model = models.last();
    std::mutex mutex;
    llma::CompressOptions how = ForCompressing(given, nullptr, nullptr);
    how.max_alternatives = max_alternatives;
    how.on_costs = [&](std::vector<llma::PieceCost> costs) {
      const std::lock_guard lock(mutex);
      std::move(costs.begin(), costs.end(), std::back_inserter(made->pieces));
    };
    how.on_frame = [&, tell = how.on_frame](const llma::FrameHeader& header,
                                            uint64_t frame_bytes) {
      made->info.payload_bytes += header.payload_bytes;
      if (tell) tell(header, frame_bytes);
    };
    llma::FileEncoder encoder(model, how,
                              [](llma::Bytes) { return llma::OkStatus(); });
    LLMA_TRY(encoder.Append(bytes));
    LLMA_TRY(encoder.Finish());
    std::ranges::sort(made->pieces, {}, &llma::PieceCost::content_ofs);
    made->info.content_bytes = content_bytes;
    made->info.file_bytes = encoder.file_bytes();
    made->info.num_pieces = made->pieces.size();
    for (const llma::PieceCost& piece : made->pieces) {
      made->info.bits += piece.bits;
    }
    *inspection = made.release();
    return llma::OkStatus();
  });
}

void llma_inspection_free(llma_inspection* inspection) { delete inspection; }

llma_status llma_inspection_get_info(const llma_inspection* inspection,
                                     llma_inspection_info* info,
                                     llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(inspection);
    return Fill(info, inspection->info);
  });
}

llma_status llma_inspection_get_piece(const llma_inspection* inspection,
                                      uint64_t index, llma_piece* piece,
                                      llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(inspection);
    LLMA_TRY(CheckIndex(*inspection, index));
    const llma::PieceCost& cost =
        inspection->pieces[static_cast<size_t>(index)];
    return Fill(piece, {0, cost.content_ofs, cost.size_bytes,
                        static_cast<uint32_t>(cost.alternatives.size()),
                        cost.bits, cost.model_bits});
  });
}

llma_status llma_inspection_get_alternative(const llma_inspection* inspection,
                                            uint64_t index,
                                            uint32_t alternative,
                                            llma_alternative* found,
                                            llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(inspection);
    LLMA_TRY(CheckIndex(*inspection, index));
    const auto& alternatives =
        inspection->pieces[static_cast<size_t>(index)].alternatives;
    if (alternative >= alternatives.size()) return Usage("no such alternative");
    const llma::TokenAlternative& one = alternatives[alternative];
    const llma::Bytes bytes =
        inspection->model->model->tokens().spelling(one.token);
    return Fill(found, {0, bytes.data(), bytes.size(), one.probability});
  });
}

}  // extern "C"
