// SPDX-License-Identifier: Apache-2.0
// What each piece of a text costs; and what this machine can do.
#ifndef LLMA_INSPECTION_HPP_
#define LLMA_INSPECTION_HPP_

#include <llma/options.hpp>
#include <vector>

namespace llma {
inline namespace api_v0 {

class Inspection {
 public:
  static Result<Inspection> Create(std::span<const uint8_t> content,
                                   uint32_t max_alternatives,
                                   const Options& options) {
    llma_inspection* inspection = nullptr;
    LLMA_TRY(detail::Call(llma_inspect, content.data(), content.size(),
                          max_alternatives, options.get(), &inspection));
    return Inspection(inspection);
  }
  llma_inspection_info info() const {
    return detail::Get<llma_inspection_info>(llma_inspection_get_info, get());
  }
  // index < info().num_pieces.
  llma_piece piece(uint64_t index) const {
    return detail::Get<llma_piece>(llma_inspection_get_piece, get(), index);
  }
  // alternative < num_alternatives of the piece. Valid as long as this is.
  llma_alternative alternative(uint64_t index, uint32_t alternative) const {
    return detail::Get<llma_alternative>(llma_inspection_get_alternative, get(),
                                         index, alternative);
  }
  llma_inspection* get() const { return handle_.get(); }

 private:
  explicit Inspection(llma_inspection* inspection) : handle_(inspection) {}
  detail::Owner<llma_inspection, llma_inspection_free> handle_;
};

// Slowest first.
inline std::vector<llma_kernels_info> AllKernels() {
  std::vector<llma_kernels_info> all;
  for (size_t i = 0; i < llma_kernels_count(); ++i) {
    all.push_back(detail::Get<llma_kernels_info>(llma_kernels_get, i));
  }
  return all;
}

// The name of those that are used by default.
inline Result<std::string> UsedKernels() {
  const char* name = nullptr;
  LLMA_TRY(detail::Call(llma_kernels_used, &name));
  return std::string(name);
}

// The one that is used by default first.
inline std::vector<llma_engine_info> AllEngines() {
  std::vector<llma_engine_info> all;
  for (size_t i = 0; i < llma_engine_count(); ++i) {
    all.push_back(detail::Get<llma_engine_info>(llma_engine_get, i));
  }
  return all;
}

// The name of the one that is used.
inline Result<std::string> UsedEngine() {
  const char* name = nullptr;
  LLMA_TRY(detail::Call(llma_engine_used, &name));
  return std::string(name);
}

// Why the processor took over from the engine since the last call; empty if it
// did not.
inline std::string EngineFailure() {
  llma_error reason{};
  return llma_engine_failed(&reason) != 0 ? std::string(reason.text) : "";
}

inline std::vector<llma_device_info> AllDevices() {
  std::vector<llma_device_info> all;
  for (size_t i = 0; i < llma_device_count(); ++i) {
    all.push_back(detail::Get<llma_device_info>(llma_device_get, i));
  }
  return all;
}

// int8 multiply-adds a second; 0: not known.
inline Result<double> MeasureInt8Peak(const std::string& kernels,
                                      uint32_t num_threads) {
  double peak = 0;
  LLMA_TRY(detail::Call(llma_measure_int8_peak, detail::OrNull(kernels),
                        num_threads, &peak));
  return peak;
}

}  // namespace api_v0
}  // namespace llma

#endif  // LLMA_INSPECTION_HPP_
