// SPDX-License-Identifier: Apache-2.0
// A model in floats, computed without quantising anything: what the exact
// arithmetic is measured against. Slow, large, and not the same to the last bit
// everywhere.
#ifndef LLMA_IMPORTER_MEASURE_FLOAT_MODEL_H_
#define LLMA_IMPORTER_MEASURE_FLOAT_MODEL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "importer/convert/weight_sink.h"
#include "model/model.h"

namespace llma {

// Shapes: n positions. Activations are [feature, position], so that loops over
// positions are the inner ones.
class FloatModel : public WeightSink {
 public:
  // `model`: what the source was converted to, for everything but weights.
  FloatModel(const Model& model, ThreadPool& pool);

  // A copy of the source's weights.
  Status AddFloats(std::span<const float> values) override;
  Status BeginMatrix(uint32_t num_rows, uint32_t num_cols) override;
  Status SetRow(uint32_t row_idx, std::span<const float> row) override;
  Status EndMatrix() override { return OkStatus(); }

  // Bits of rows fed[1 ...] after fed[0], each after all before it. At most
  // as many as the model was trained on.
  double Bits(std::span<const uint32_t> fed);

 private:
  using Floats = std::vector<float>;
  struct Matrix {
    uint32_t num_rows = 0, num_cols = 0;
    Floats values;  // [row, col]
  };

  // y = W x
  Floats Multiply(const Matrix& w, const Floats& x) const;
  // Of `size` features from `first` on, in place.
  void Norm(const Floats& weight, Floats& x, uint32_t first,
            uint32_t size) const;
  void Rotate(std::span<const uint64_t> steps, Floats& x, uint32_t first) const;
  void Attend(uint32_t head, bool is_local, const Floats& qkv,
              Floats& out) const;
  void AttentionLayer(uint32_t layer, Floats& x);
  void FeedForwardLayer(Floats& x);
  const Floats& NextFloats() { return floats_[next_floats_++]; }
  const Matrix& NextMatrix() { return matrices_[next_matrix_++]; }
  double LogitBits(const Matrix& head, const Floats& x,
                   std::span<const uint32_t> targets) const;

  const Model& model_;
  const ModelConfig& config_;
  ThreadPool& pool_;
  std::vector<Floats> floats_;  // in the order of the sections
  std::vector<Matrix> matrices_;
  // During a pass:
  size_t num_positions_ = 0;
  size_t next_floats_ = 0, next_matrix_ = 0;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_MEASURE_FLOAT_MODEL_H_
