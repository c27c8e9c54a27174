// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/opencl_decoder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "numerics/reference_ops.h"

namespace llma::opencl {
namespace {

// What the head multiplies, of one row.
struct HiddenRow {
  std::vector<int8_t> values;
  std::vector<float> scales;
  std::vector<int32_t> starts;
  float largest_logit;
};

HiddenRow HiddenRowOf(const PassResults& results, size_t row, size_t dim) {
  const size_t num_groups = dim / kGroupSize;
  const int8_t* const values = results.hidden.data() + row * dim;
  const float* const scales = results.hidden_scales.data() + row * num_groups;
  HiddenRow hidden = {{values, values + dim},
                      {scales, scales + num_groups},
                      {},
                      results.largest[row]};
  for (size_t col = 0; col < dim; col += kGroupSize) {
    int32_t sum = 0;
    for (size_t i = 0; i < kGroupSize; ++i) sum += values[col + i];
    hidden.starts.push_back(-128 * sum);
  }
  return hidden;
}

// The weights of a block, of logits whose largest is known.
void WeighBlock(const Model& model, const KernelTable& kernels,
                const HiddenRow& hidden, uint32_t block, uint32_t* weights) {
  static_assert(kTokenBlock % kPanelRows == 0);
  const LinearWeights& head = model.head();
  const uint32_t begin = block * kTokenBlock;
  const uint32_t count =
      std::min(kTokenBlock, model.config().num_tokens - begin);
  const LinearWeights rows = {.values = head.values + head.value_idx(begin, 0),
                              .scales = head.scales + head.scale_idx(begin, 0),
                              .num_rows = count,
                              .num_cols = head.num_cols};
  const QuantizedRows x = {.values = hidden.values.data(),
                           .scales = hidden.scales.data(),
                           .starts = hidden.starts.data(),
                           .num_rows = 1,
                           .num_cols = head.num_cols,
                           .num_groups = head.num_groups()};
  float logits[kTokenBlock + 1];
  kernels.matmul(rows, 0, rows.num_panels(), x, logits, kTokenBlock);
  const float cap = model.config().logit_cap;
  if (cap != 0) reference::SoftCap(cap, count, logits);
  logits[count] = hidden.largest_logit;
  uint32_t with_largest[kTokenBlock + 1];
  uint64_t sums[2];
  reference::TokenWeights(logits, count + 1, with_largest, sums);
  std::copy_n(with_largest, count, weights);
}

}  // namespace

Result<std::unique_ptr<DecodeSession>> OpenClDecodeSession::Open(
    OpenClEngine& engine, const SessionOptions& options) {
  LLMA_ASSIGN(auto place, engine.decode_passes().Open(options.shape));
  return std::unique_ptr<DecodeSession>(
      new OpenClDecodeSession(engine, options, std::move(place)));
}

OpenClDecodeSession::OpenClDecodeSession(OpenClEngine& engine,
                                         const SessionOptions& options,
                                         DecodePasses::Place place)
    : model_(engine.model()),
      kernels_(engine.kernels()),
      passes_(std::move(place)),
      clock_(options.clock),
      streams_(passes_.get_deleter().part),
      member_{.part = streams_.part()} {
  if (options.start == nullptr) return;
  member_.start = static_cast<const OpenClStreamStart*>(options.start);
  streams_.StartAs(*member_.start);
}

Status OpenClDecodeSession::Run(std::span<const StreamTokens> batch) {
  if (batch.empty()) return OkStatus();
  EnterStage(clock_, Stage::kMatmul);
  member_.results = nullptr;  // for others to use
  streams_.SetRows(batch, member_.rows);
  if (clock_ != nullptr) clock_->AddPositions(member_.rows.size());
  const Status status = passes_->Run(member_);
  member_.start = nullptr;
  member_.moves.clear();
  EnterStage(clock_, Stage::kTokenWeights);
  return status;
}

void OpenClDecodeSession::Weigh(uint32_t row, TokenMasses& masses) {
  const size_t num_blocks = TokenMasses::NumBlocks(model_.config().num_tokens);
  const size_t pass_row = size_t{member_.first_row} + row;
  masses.Set(
      {member_.results->block_sums.data() + pass_row * num_blocks, num_blocks},
      [&model = model_, &kernels = kernels_,
       hidden = HiddenRowOf(*member_.results, pass_row, model_.config().dim)](
          uint32_t block, uint32_t* weights) {
        WeighBlock(model, kernels, hidden, block, weights);
      });
}

void OpenClDecodeSession::Keep(uint32_t stream,
                               std::span<const uint32_t> kept) {
  if (const auto move = streams_.Keep(stream, kept)) {
    member_.moves.push_back(*move);
  }
}

}  // namespace llma::opencl
