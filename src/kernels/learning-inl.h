// SPDX-License-Identifier: Apache-2.0
// The kernels of learning, written once for all instruction sets. Each function
// equals its namesake in numerics/learning_ops.h; comments here only say how.
//
// Included after elementwise-inl.h, which says what V is, in the same namespace
// and target region.

// The sum of 16 partial sums.
inline float SumOfSixteen(V::F (&partial)[kSixteen]) {
  for (int half = kSixteen / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) {
      partial[j] = V::Add(partial[j], partial[j + half]);
    }
  }
  return V::TreeSum(partial[0]);
}

inline V::F ClampTo(V::F x, float largest) {
  return V::Min(V::Max(x, V::Set(-largest)), V::Set(largest));
}

// partial[k] += 16 columns.
inline void AddSixteen(const float* a, uint32_t cols, const float* x,
                       V::F (&partial)[kLearningRank][kSixteen]) {
  LLMA_UNROLL
  for (int j = 0; j < kSixteen; ++j) {
    const V::F values = V::Load(x + j * V::kLanes);
    LLMA_UNROLL
    for (uint32_t k = 0; k < kLearningRank; ++k) {
      const V::F row = V::Load(a + size_t{k} * cols + j * V::kLanes);
      partial[k][j] = V::Add(partial[k][j], V::Mul(row, values));
    }
  }
}

inline void ClearPartial(V::F (&partial)[kLearningRank][kSixteen]) {
  for (auto& row : partial) {
    for (V::F& p : row) p = V::Set(0.0f);
  }
}

void LowRankDown(const float* a, uint32_t cols, const float* x, float* u) {
  V::F partial[kLearningRank][kSixteen];
  ClearPartial(partial);
  for (uint32_t c = 0; c < cols; c += 16) {
    AddSixteen(a + c, cols, x + c, partial);
  }
  for (uint32_t k = 0; k < kLearningRank; ++k) u[k] = SumOfSixteen(partial[k]);
}

void QuantizedLowRankDown(const float* a, uint32_t cols, const int8_t* values,
                          const float* scales, float* u) {
  V::F partial[kLearningRank][kSixteen];
  ClearPartial(partial);
  for (uint32_t g = 0; g < cols / kGroupSize; ++g) {
    const uint32_t begin = g * kGroupSize;
    alignas(64) float x[kGroupSize];
    for (uint32_t i = 0; i < kGroupSize; ++i) {
      x[i] = static_cast<float>(values[begin + i]) * scales[g];
    }
    for (uint32_t i = 0; i < kGroupSize; i += 16) {
      AddSixteen(a + begin + i, cols, x + i, partial);
    }
  }
  for (uint32_t k = 0; k < kLearningRank; ++k) u[k] = SumOfSixteen(partial[k]);
}

void AddLowRank(const float* b, size_t b_stride, const float* u, uint32_t cols,
                float* y) {
  V::F factors[kLearningRank];
  for (uint32_t k = 0; k < kLearningRank; ++k) factors[k] = V::Set(u[k]);
  for (uint32_t c = 0; c < cols; c += V::kLanes) {
    V::F sum = V::Mul(factors[0], V::Load(b + c));
    LLMA_UNROLL
    for (uint32_t k = 1; k < kLearningRank; ++k) {
      sum = V::Add(sum, V::Mul(factors[k], V::Load(b + k * b_stride + c)));
    }
    V::Store(y + c, V::Add(V::Load(y + c), sum));
  }
}

// Some rows at a time, so that memory is read in order.
void AddOuter(const float* e, const float* x, size_t x_stride,
              uint32_t num_rows, uint32_t cols, float* g, size_t g_stride) {
  constexpr uint32_t kRows = 8;
  for (uint32_t begin = 0; begin < num_rows; begin += kRows) {
    const uint32_t end = num_rows - begin < kRows ? num_rows : begin + kRows;
    for (uint32_t c = 0; c < cols; c += V::kLanes) {
      V::F sums[kLearningRank];
      LLMA_UNROLL
      for (uint32_t k = 0; k < kLearningRank; ++k) {
        sums[k] = V::Load(g + k * g_stride + c);
      }
      for (uint32_t t = begin; t < end; ++t) {
        const V::F values = V::Load(x + t * x_stride + c);
        const float* factors = e + size_t{t} * kLearningRank;
        LLMA_UNROLL
        for (uint32_t k = 0; k < kLearningRank; ++k) {
          sums[k] = V::Add(sums[k], V::Mul(V::Set(factors[k]), values));
        }
      }
      LLMA_UNROLL
      for (uint32_t k = 0; k < kLearningRank; ++k) {
        V::Store(g + k * g_stride + c, sums[k]);
      }
    }
  }
}

// A lane holds the four columns that a row has in a quad.
template <int kByte>
inline void TransposeColumn(const V::I (&quads)[kSixteen],
                            const V::F (&factors)[kSixteen], int8_t* out) {
  V::I column[kSixteen];
  LLMA_UNROLL
  for (int j = 0; j < kSixteen; ++j) {
    column[j] = V::Round(V::Mul(
        V::ToFloat(V::template SignedByte<kByte>(quads[j])), factors[j]));
  }
  alignas(16) int8_t rows[16];
  V::StoreBytes(rows, column);
  LLMA_UNROLL
  for (int i = 0; i < 4; ++i) std::memcpy(out + 64 * i, rows + 4 * i, 4);
}

void TransposeGroup(const int8_t* in, const float* factors, size_t out_stride,
                    int8_t* out) {
  V::F row_factors[kSixteen];
  LLMA_UNROLL
  for (int j = 0; j < kSixteen; ++j) {
    row_factors[j] = V::Load(factors + j * V::kLanes);
  }
  for (uint32_t c = 0; c < kGroupSize; c += 4) {
    V::I quads[kSixteen];
    LLMA_UNROLL
    for (int j = 0; j < kSixteen; ++j) {
      quads[j] = V::LoadQuads(in + 16 * c + 4 * j * V::kLanes);
    }
    int8_t* to = out + c / 16 * out_stride + c % 16 * 4;
    TransposeColumn<0>(quads, row_factors, to);
    TransposeColumn<1>(quads, row_factors, to + 4);
    TransposeColumn<2>(quads, row_factors, to + 8);
    TransposeColumn<3>(quads, row_factors, to + 12);
  }
}

// exponent(g) as for the gates, slope(g) that of what the sigmoid is taken of.
template <class Exponent, class Slope>
inline void GatesBackward(const float* gate, const float* up, const float* dy,
                          uint32_t size, float* dgate, float* dup,
                          const Exponent& exponent, const Slope& slope) {
  const V::F one = V::Set(1.0f);
  for (uint32_t i = 0; i < size; i += 16) {
    V::F g[kSixteen], t[kSixteen], e[kSixteen];
    LLMA_UNROLL
    for (int j = 0; j < kSixteen; ++j) {
      g[j] = V::Load(gate + i + j * V::kLanes);
      t[j] = V::Negate(exponent(g[j]));
    }
    Exp2(t, e);
    LLMA_UNROLL
    for (int j = 0; j < kSixteen; ++j) {
      const uint32_t at = i + j * V::kLanes;
      const V::F r = V::Div(one, V::Add(one, e[j]));
      const V::F s = V::Select(V::Ge(g[j], V::Set(0.0f)), r, V::Mul(e[j], r));
      const V::F n = V::Mul(g[j], s);
      const V::F derivative =
          V::Add(s, V::Mul(V::Mul(n, V::Sub(one, s)), slope(g[j])));
      const V::F d = V::Load(dy + at);
      const V::F through = V::Mul(d, V::Load(up + at));
      V::Store(dgate + at,
               ClampTo(V::Mul(through, derivative), kLargestGradient));
      V::Store(dup + at, ClampTo(V::Mul(d, n), kLargestGradient));
    }
  }
}

struct SiluSlope {
  V::F operator()(V::F) const { return V::Set(1.0f); }
};

void SwiGluBackward(const float* gate, const float* up, const float* dy,
                    uint32_t size, float* dgate, float* dup) {
  GatesBackward(gate, up, dy, size, dgate, dup, SiluExponent(), SiluSlope());
}

struct GeluSlope {
  V::F operator()(V::F g) const {
    const V::F a = V::Min(V::Abs(g), V::Set(kLargestGeluInput));
    const V::F square_part = V::Mul(V::Set(kGeluCoefficients[1]), V::Mul(a, a));
    return V::Mul(
        V::Add(V::Set(kGeluCoefficients[0]), V::Mul(V::Set(3.0f), square_part)),
        V::Set(kLn2));
  }
};

void GeGluBackward(const float* gate, const float* up, const float* dy,
                   uint32_t size, float* dgate, float* dup) {
  GatesBackward(gate, up, dy, size, dgate, dup, GeluExponent(), GeluSlope());
}

void RmsNormBackward(const float* x, const float* weight, const float* dy,
                     uint32_t dim, float eps, float* dx, float* dweight) {
  V::F squares[kSixteen], products[kSixteen];
  for (V::F& p : squares) p = V::Set(0.0f);
  for (V::F& p : products) p = V::Set(0.0f);
  for (uint32_t i = 0; i < dim; i += 16) {
    LLMA_UNROLL
    for (int j = 0; j < kSixteen; ++j) {
      const V::F v = V::Load(x + i + j * V::kLanes);
      squares[j] = V::Add(squares[j], V::Mul(v, v));
    }
  }
  const float mean = SumOfSixteen(squares) / static_cast<float>(dim);
  const V::F inverse = V::Set(1.0f / V::Sqrt(mean + eps));
  for (uint32_t i = 0; i < dim; i += 16) {
    LLMA_UNROLL
    for (int j = 0; j < kSixteen; ++j) {
      const uint32_t at = i + j * V::kLanes;
      const V::F n = V::Mul(V::Load(x + at), inverse);
      const V::F d = V::Load(dy + at);
      V::Store(dweight + at, V::Mul(d, n));
      products[j] =
          V::Add(products[j], V::Mul(V::Mul(d, V::Load(weight + at)), n));
    }
  }
  const V::F along = V::Set(SumOfSixteen(products) / static_cast<float>(dim));
  for (uint32_t i = 0; i < dim; i += V::kLanes) {
    const V::F n = V::Mul(V::Load(x + i), inverse);
    const V::F d = V::Mul(
        V::Sub(V::Mul(V::Load(dy + i), V::Load(weight + i)), V::Mul(n, along)),
        inverse);
    V::Store(dx + i, ClampTo(V::Add(V::Load(dx + i), d), kLargestGradient));
  }
}

void MoveWeights(const AdamStep& step, const float* g, uint32_t size, float* m,
                 float* v, float* w) {
  const V::F rate = V::Set(step.rate);
  const V::F scale = V::Set(step.second_moment_scale);
  for (uint32_t i = 0; i < size; i += V::kLanes) {
    const V::F gradient = ClampTo(V::Load(g + i), kLargestWeightGradient);
    const V::F old_m = V::Load(m + i), old_v = V::Load(v + i);
    const V::F new_m = V::Add(
        old_m, V::Mul(V::Set(kFirstMomentShare), V::Sub(gradient, old_m)));
    const V::F new_v =
        V::Add(old_v, V::Mul(V::Set(kSecondMomentShare),
                             V::Sub(V::Mul(gradient, gradient), old_v)));
    V::Store(m + i, new_m);
    V::Store(v + i, new_v);
    const V::F divisor =
        V::Add(V::SqrtAll(V::Mul(new_v, scale)), V::Set(kAdamEpsilon));
    const V::F moved =
        V::Sub(V::Load(w + i), V::Div(V::Mul(rate, new_m), divisor));
    V::Store(w + i, ClampTo(moved, step.largest));
  }
}

extern const LearningKernels kLearning;
constinit const LearningKernels kLearning = {
    .low_rank_down = LowRankDown,
    .quantized_low_rank_down = QuantizedLowRankDown,
    .add_low_rank = AddLowRank,
    .add_outer = AddOuter,
    .transpose_group = TransposeGroup,
    .swiglu_backward = SwiGluBackward,
    .geglu_backward = GeGluBackward,
    .rms_norm_backward = RmsNormBackward,
    .move_weights = MoveWeights,
};
