// SPDX-License-Identifier: Apache-2.0
// The elementwise kernels, written once for all instruction sets. Each function
// equals its namesake in numerics/reference_ops.h; comments here only say how.
//
// A file for an instruction set includes this inside its namespace and target
// region, after it has defined V, its vectors:
//
//   kLanes                     floats in a vector: 4, 8 or 16
//   F, I, M, Sums              floats, int32, masks, uint64 sums
//   Set, SetInt, ZeroSums      the same value in all lanes
//   Load, Store                kLanes values at any address
//   LoadFirst(p, n, fill)      the first n lanes; `fill` in the others
//   StoreFirst(p, n, v)        the first n lanes
//   Add, Sub, Mul, Div         one IEEE operation
//   Min, Max, Abs, Negate
//   Ge(a, b), Keep(m, v)       where a >= b; 0 where m is not set
//   Select(m, a, b)            a where m is set, else b
//   Split(t, n, f)             n = round(t), ties to even, f = t - n
//   TimesPowerOfTwo(p, n)      p * 2^n where that is normal, else anything; or,
//                              with kPowersUnderflow, subnormal or 0 below that
//   Round, Truncate            to int32: ties to even; towards 0
//   ToFloat, AddInts, LoadInts int32 operations
//   LoadQuads(p)               four int8 a lane
//   SignedByte<i>(v)           byte i of each lane, as int32
//   KeepFirst(n, v)            int32; 0 after the first n lanes
//   StoreBytes(p, v)           the low bytes of 16 / kLanes vectors
//   StoreHalves(hi, lo, v)     v >> 7 and v & 127 of 4 or 16 / kLanes vectors
//   AddToSums(sums, v)         adds unsigned int32 lanes, two to a sum
//   LargestLane, SumOfLanes    of F, of I; SumOfSums of Sums
//   TreeSum(v)                 v[i] + v[i + half] down to one lane
//   Sqrt(x)                    of one float
//   SqrtAll(v)                 of all lanes
//   KeepTogether(v)            four vectors that stay side by side: keeps GCC
//                              from computing them one after the other
//
// No include guard: a test could include it for two sets.

// Vectors that are computed side by side, because each step of one waits for
// the step before.
constexpr int kSideBySide = 4;
constexpr uint32_t kBatch = kSideBySide * V::kLanes;
// Vectors of 16 values, of which there is always a whole number.
constexpr int kSixteen = 16 / V::kLanes;

template <int kCount>
inline void KeepTogether(V::F (&v)[kCount]) {
  if constexpr (kCount == kSideBySide) V::KeepTogether(v);
}

// 2^(t + kShift) for t in [-64, 0] and up to kShift = 30, elsewhere anything.
// The shift is in the polynomial, where a power of two changes no rounding.
template <int kShift, int kCount>
inline void Exp2InRange(const V::F (&t)[kCount], V::F (&power)[kCount]) {
  constexpr float kScale = float{uint32_t{1} << kShift};
  V::F n[kCount], f[kCount];
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) V::Split(t[i], n[i], f[i]);
  for (V::F& p : power) p = V::Set(kExp2Coefficients[3] * kScale);
  LLMA_UNROLL
  for (int k = 2; k >= -1; --k) {
    const float next = k < 0 ? 1.0f : kExp2Coefficients[k];
    LLMA_UNROLL
    for (int i = 0; i < kCount; ++i) power[i] = V::Mul(power[i], f[i]);
    KeepTogether(power);
    LLMA_UNROLL
    for (int i = 0; i < kCount; ++i) {
      power[i] = V::Add(power[i], V::Set(next * kScale));
    }
    KeepTogether(power);
  }
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    power[i] = V::TimesPowerOfTwo(power[i], n[i]);
  }
}

// exact_math.h: Exp2NonPositive.
template <int kCount>
inline void Exp2(const V::F (&t)[kCount], V::F (&power)[kCount]) {
  Exp2InRange<0>(t, power);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    power[i] = V::Keep(V::Ge(power[i], V::Set(0x1p-126f)), power[i]);
    if constexpr (!V::kPowersUnderflow) {
      power[i] = V::Keep(V::Ge(t[i], V::Set(kExp2Lowest)), power[i]);
    }
  }
}

// Of `size` floats, at least one; none of them below -2^126.
inline float LargestOf(const float* x, uint32_t size) {
  V::F lanes[kSideBySide];
  for (V::F& l : lanes) l = V::Set(-0x1p+126f);
  uint32_t i = 0;
  for (; i + kBatch <= size; i += kBatch) {
    LLMA_UNROLL
    for (int k = 0; k < kSideBySide; ++k) {
      lanes[k] = V::Max(lanes[k], V::Load(x + i + k * V::kLanes));
    }
  }
  for (; i < size; i += V::kLanes) {
    lanes[0] = V::Max(lanes[0], V::LoadFirst(x + i, size - i, -0x1p+126f));
  }
  return V::LargestLane(
      V::Max(V::Max(lanes[0], lanes[1]), V::Max(lanes[2], lanes[3])));
}

// QuantizeRow for groups of any multiple of 16.
inline void QuantizeGroupByGroup(const float* x, uint32_t num_cols,
                                 uint32_t group_size, int8_t* values,
                                 float* scales, int32_t* starts) {
  for (uint32_t g = 0; g < num_cols / group_size; ++g) {
    const float* in = x + size_t{g} * group_size;
    int8_t* out = values + size_t{g} * group_size;
    V::F largest_lanes = V::Set(0.0f);
    for (uint32_t i = 0; i < group_size; i += V::kLanes) {
      largest_lanes = V::Max(largest_lanes, V::Abs(V::Load(in + i)));
    }
    const float largest = V::LargestLane(largest_lanes);
    const bool is_zero = largest < kSmallestMagnitude;
    scales[g] = is_zero ? 0.0f : largest / 127.0f;
    const V::F inverse = V::Set(is_zero ? 0.0f : 127.0f / largest);
    V::I sum = V::SetInt(0);
    for (uint32_t i = 0; i < group_size; i += 16) {
      V::I q[kSixteen];
      LLMA_UNROLL
      for (int j = 0; j < kSixteen; ++j) {
        q[j] = V::Round(V::Mul(V::Load(in + i + j * V::kLanes), inverse));
        sum = V::AddInts(sum, q[j]);
      }
      V::StoreBytes(out + i, q);
    }
    starts[g] = -128 * V::SumOfLanes(sum);
  }
}

void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y) {
  V::F partial[kSixteen];
  for (V::F& p : partial) p = V::Set(0.0f);
  for (uint32_t i = 0; i < dim; i += 16) {
    LLMA_UNROLL
    for (int j = 0; j < kSixteen; ++j) {
      const V::F v = V::Load(x + i + j * V::kLanes);
      partial[j] = V::Add(partial[j], V::Mul(v, v));
    }
  }
  for (int half = kSixteen / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) {
      partial[j] = V::Add(partial[j], partial[j + half]);
    }
  }
  const float mean = V::TreeSum(partial[0]) / static_cast<float>(dim);
  const V::F inverse = V::Set(1.0f / V::Sqrt(mean + eps));
  for (uint32_t i = 0; i < dim; i += V::kLanes) {
    V::Store(y + i,
             V::Mul(V::Mul(V::Load(x + i), inverse), V::Load(weight + i)));
  }
}

// exponent(g) is what Exp2 gets, made positive.
struct SiluExponent {
  V::F operator()(V::F g) const { return V::Mul(V::Abs(g), V::Set(kLog2E)); }
};

struct GeluExponent {
  V::F operator()(V::F g) const {
    const V::F a = V::Min(V::Abs(g), V::Set(kLargestGeluInput));
    const V::F square_part = V::Mul(V::Set(kGeluCoefficients[1]), V::Mul(a, a));
    return V::Mul(a, V::Add(V::Set(kGeluCoefficients[0]), square_part));
  }
};

// kCount vectors, of one the first `size` lanes.
template <int kCount, class Exponent>
inline void GateSome(const float* gate, const float* up, uint32_t size,
                     float* y, const Exponent& exponent) {
  const auto load = [size](const float* p) {
    return kCount == 1 ? V::LoadFirst(p, size, 0.0f) : V::Load(p);
  };
  V::F g[kCount], t[kCount], e[kCount];
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    g[i] = load(gate + i * V::kLanes);
    t[i] = V::Negate(exponent(g[i]));
  }
  Exp2(t, e);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    const V::F numerator =
        V::Select(V::Ge(g[i], V::Set(0.0f)), g[i], V::Mul(g[i], e[i]));
    const V::F gated = V::Mul(V::Div(numerator, V::Add(V::Set(1.0f), e[i])),
                              load(up + i * V::kLanes));
    const V::F clamped =
        V::Min(V::Max(gated, V::Set(-kLargestGated)), V::Set(kLargestGated));
    if (kCount == 1) {
      V::StoreFirst(y, size, clamped);
    } else {
      V::Store(y + i * V::kLanes, clamped);
    }
  }
}

template <class Exponent>
inline void GateAll(const float* gate, const float* up, uint32_t size, float* y,
                    const Exponent& exponent) {
  uint32_t i = 0;
  for (; i + kBatch <= size; i += kBatch) {
    GateSome<kSideBySide>(gate + i, up + i, kBatch, y + i, exponent);
  }
  for (; i < size; i += V::kLanes) {
    GateSome<1>(gate + i, up + i, size - i, y + i, exponent);
  }
}

void SwiGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, SiluExponent());
}

void GeGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, GeluExponent());
}

// What AttentionWeights gathers on the way from scores to p_j * scale_v_j.
struct WeightSums {
  V::I denominators;
  V::F largest;
};

template <int kCount>
inline void FoldScores(float* scores, const float* v_scales, V::F max_score,
                       WeightSums& sums) {
  V::F t[kCount], p[kCount];
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    t[i] = V::Sub(V::Load(scores + i * V::kLanes), max_score);
  }
  static_assert(kDenominatorScale == 0x1p+16f);
  Exp2InRange<16>(t, p);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    p[i] = V::Keep(V::Ge(t[i], V::Set(kLowestAttentionExponent)), p[i]);
    sums.denominators = V::AddInts(sums.denominators, V::Round(p[i]));
    const V::F folded = V::Mul(p[i], V::Load(v_scales + i * V::kLanes));
    sums.largest = V::Max(sums.largest, folded);
    V::Store(scores + i * V::kLanes, folded);
  }
}

template <int kCount>
inline void StoreWeights(const float* folded, V::F factor, uint8_t* weights_hi,
                         uint8_t* weights_lo) {
  V::I w[kCount];
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    w[i] = V::Round(V::Mul(V::Load(folded + i * V::kLanes), factor));
  }
  V::StoreHalves(weights_hi, weights_lo, w);
}

float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo) {
  const V::F max_score = V::Set(LargestOf(scores, num_positions));
  WeightSums sums = {V::SetInt(0), V::Set(0.0f)};
  uint32_t j = 0;
  for (; j + kBatch <= num_positions; j += kBatch) {
    FoldScores<kSideBySide>(scores + j, v_scales + j, max_score, sums);
  }
  for (; j < num_positions; j += 16) {
    FoldScores<kSixteen>(scores + j, v_scales + j, max_score, sums);
  }
  const float largest = V::LargestLane(sums.largest);
  const int32_t denominator = V::SumOfLanes(sums.denominators);
  const V::F factor =
      V::Set(largest == 0.0f ? 0.0f : kLargestAttentionWeight / largest);
  j = 0;
  for (; j + kBatch <= num_positions; j += kBatch) {
    StoreWeights<kSideBySide>(scores + j, factor, weights_hi + j,
                              weights_lo + j);
  }
  for (; j < num_positions; j += 16) {
    StoreWeights<kSixteen>(scores + j, factor, weights_hi + j, weights_lo + j);
  }
  return (largest / kLargestAttentionWeight) / static_cast<float>(denominator);
}

void JoinValueSums(const int32_t* sums_hi, const int32_t* sums_lo, float scale,
                   uint32_t size, float* out) {
  for (uint32_t d = 0; d < size; d += V::kLanes) {
    const V::F hi = V::ToFloat(V::LoadInts(sums_hi + d));
    const V::F lo = V::ToFloat(V::LoadInts(sums_lo + d));
    const V::F sum = V::Add(V::Mul(hi, V::Set(128.0f)), lo);
    V::Store(out + d, V::Mul(sum, V::Set(scale)));
  }
}

// The weights of kCount vectors of tokens, of one the first `size` lanes.
template <int kCount>
inline void WeighTokens(const float* logits, uint32_t size, V::F max_logit,
                        uint32_t* weights, V::Sums& sums) {
  V::F t[kCount], p[kCount];
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    const V::F logit = kCount == 1 ? V::LoadFirst(logits, size, 0.0f)
                                   : V::Load(logits + i * V::kLanes);
    // What is below 2^-40 weighs 1, as 2^-40 does.
    t[i] = V::Max(V::Mul(V::Sub(logit, max_logit), V::Set(kLog2E)),
                  V::Set(-40.0f));
  }
  static_assert(kTokenWeightScale == 0x1p+30f);
  Exp2InRange<30>(t, p);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    const V::I weight = V::AddInts(V::SetInt(1), V::Truncate(p[i]));
    if (kCount == 1) {
      V::StoreFirstInts(weights, size, weight);
      V::AddToSums(sums, V::KeepFirst(size, weight));
    } else {
      V::StoreInts(weights + i * V::kLanes, weight);
      V::AddToSums(sums, weight);
    }
  }
}

void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums) {
  static_assert(kTokenBlock % kBatch == 0);
  const V::F max_logit = V::Set(LargestOf(logits, num_tokens));
  for (uint32_t block = 0; block < num_tokens; block += kTokenBlock) {
    const uint32_t left = num_tokens - block;
    const uint32_t end = block + (left < kTokenBlock ? left : kTokenBlock);
    V::Sums sums = V::ZeroSums();
    uint32_t v = block;
    for (; v + kBatch <= end; v += kBatch) {
      WeighTokens<kSideBySide>(logits + v, kBatch, max_logit, weights + v,
                               sums);
    }
    for (; v < end; v += V::kLanes) {
      WeighTokens<1>(logits + v, end - v, max_logit, weights + v, sums);
    }
    block_sums[block / kTokenBlock] = V::SumOfSums(sums);
  }
}
