// SPDX-License-Identifier: Apache-2.0
// The first lanes of a vector, through memory, for instruction sets without
// masks (see elementwise-inl.h). A file for one includes this inside its
// namespace and target region, and derives its vectors V from
// PartialVectors<V>.

template <class V>
struct PartialVectors {
  static auto LoadFirst(const float* p, uint32_t n, float fill) {
    if (n >= V::kLanes) return V::Load(p);
    float lanes[V::kLanes];
    V::Store(lanes, V::Set(fill));
    std::memcpy(lanes, p, n * sizeof(float));
    return V::Load(lanes);
  }
  template <class F>
  static void StoreFirst(float* p, uint32_t n, F v) {
    float lanes[V::kLanes];
    V::Store(lanes, v);
    std::memcpy(p, lanes, (n < V::kLanes ? n : V::kLanes) * sizeof(float));
  }
  template <class I>
  static void StoreFirstInts(uint32_t* p, uint32_t n, I v) {
    uint32_t lanes[V::kLanes];
    V::StoreInts(lanes, v);
    std::memcpy(p, lanes, (n < V::kLanes ? n : V::kLanes) * sizeof(uint32_t));
  }
};
