// SPDX-License-Identifier: Apache-2.0
// What this project uses of C++20 and the C++ library of Emscripten 3.1.6
// lacks. The toolchain file has it read before every C++ file; no other build
// sees it.
#ifndef LLMA_CMAKE_WASM_LIBRARY_GAPS_H_
#define LLMA_CMAKE_WASM_LIBRARY_GAPS_H_

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#include <type_traits>
#include <utility>

#if _LIBCPP_VERSION >= 14000
#error "a newer library: see what of this it has"
#endif

namespace std {

template <class To, class From>
constexpr To bit_cast(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

namespace ranges {

struct LlmaIdentity {
  template <class T>
  constexpr T&& operator()(T&& value) const noexcept {
    return std::forward<T>(value);
  }
};

// What std::invoke() can call: a member, too.
template <class Function>
constexpr auto LlmaCallable(Function function) {
  return [function](const auto& value) { return std::invoke(function, value); };
}

template <class Range, class Value, class Projection = LlmaIdentity>
constexpr auto find(Range&& range, const Value& value,
                    Projection projection = {}) {
  return std::find_if(std::begin(range), std::end(range),
                      [&](const auto& element) {
                        return std::invoke(projection, element) == value;
                      });
}
template <class Range, class Predicate>
constexpr auto find_if(Range&& range, Predicate predicate) {
  return std::find_if(std::begin(range), std::end(range),
                      LlmaCallable(predicate));
}
template <class Range, class Predicate>
constexpr bool any_of(Range&& range, Predicate predicate) {
  return std::any_of(std::begin(range), std::end(range),
                     LlmaCallable(predicate));
}
template <class Range, class Predicate>
constexpr bool all_of(Range&& range, Predicate predicate) {
  return std::all_of(std::begin(range), std::end(range),
                     LlmaCallable(predicate));
}
template <class Range, class Predicate>
constexpr bool none_of(Range&& range, Predicate predicate) {
  return !ranges::any_of(range, predicate);
}
template <class Range, class Predicate>
constexpr auto count_if(Range&& range, Predicate predicate) {
  return std::count_if(std::begin(range), std::end(range),
                       LlmaCallable(predicate));
}
template <class First, class Second>
constexpr bool equal(const First& first, const Second& second) {
  return std::equal(std::begin(first), std::end(first), std::begin(second),
                    std::end(second));
}
template <class Range, class Out>
constexpr void copy(const Range& range, Out out) {
  std::copy(std::begin(range), std::end(range), out);
}
template <class Range, class Value>
constexpr void fill(Range&& range, const Value& value) {
  std::fill(std::begin(range), std::end(range), value);
}

// An order by what `projection` gives: a member, or a function's result.
template <class Less, class Projection>
constexpr auto LlmaOrder(Less less, Projection projection) {
  return [less, projection](const auto& a, const auto& b) {
    return std::invoke(less, std::invoke(projection, a),
                       std::invoke(projection, b));
  };
}
template <class Range, class Less = std::less<>,
          class Projection = LlmaIdentity>
constexpr auto min_element(Range&& range, Less less = {},
                           Projection projection = {}) {
  return std::min_element(std::begin(range), std::end(range),
                          LlmaOrder(less, projection));
}
template <class Range, class Less = std::less<>,
          class Projection = LlmaIdentity>
constexpr auto max_element(Range&& range, Less less = {},
                           Projection projection = {}) {
  return std::max_element(std::begin(range), std::end(range),
                          LlmaOrder(less, projection));
}
template <class Range, class Less = std::less<>,
          class Projection = LlmaIdentity>
constexpr void sort(Range&& range, Less less = {}, Projection projection = {}) {
  std::sort(std::begin(range), std::end(range), LlmaOrder(less, projection));
}

template <class Range, class Less = std::less<>,
          class Projection = LlmaIdentity>
constexpr void stable_sort(Range&& range, Less less = {},
                           Projection projection = {}) {
  std::stable_sort(std::begin(range), std::end(range),
                   LlmaOrder(less, projection));
}

}  // namespace ranges
}  // namespace std

#endif  // LLMA_CMAKE_WASM_LIBRARY_GAPS_H_
