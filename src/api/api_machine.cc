// SPDX-License-Identifier: Apache-2.0
// Versions, kernels, engines, and what this machine can do.
#include <chrono>
#include <mutex>
#include <set>

#include "api/api_error.h"
#include "api/api_options.h"
#include "base/machine_limits.h"
#include "base/thread_pool.h"
#include "codec/frame/frame_context.h"
#include "container/frame_header.h"
#include "engine/engine_registry.h"
#include "engine/fallback_engine.h"
#if defined(LLMA_OPENCL)
#include "engine/opencl/self_check.h"
#endif
#include "kernels/int8_peak.h"
#include "kernels/kernel_table.h"
#include "model/model_header.h"

#define LLMA_TEXT_INNER(x) #x
#define LLMA_TEXT(x) LLMA_TEXT_INNER(x)

using namespace llma::api;

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPeakTime = std::chrono::milliseconds(250);
constexpr int kLoopsPerRound = 10;

// The best of many short rounds: other programs can only make it look smaller.
double MeasurePeak(const char* kernels, llma::ThreadPool& pool) {
  const auto threads = static_cast<size_t>(pool.num_threads());
  double best = 0;
  for (const auto end = Clock::now() + kPeakTime; Clock::now() < end;) {
    std::vector<uint64_t> counts(threads);
    const Clock::time_point start = Clock::now();
    pool.ParallelFor(threads, [&](size_t i) {
      for (int k = 0; k < kLoopsPerRound; ++k) {
        counts[i] += llma::RunInt8PeakLoop(kernels);
      }
    });
    const double seconds =
        std::chrono::duration<double>(Clock::now() - start).count();
    uint64_t count = 0;
    for (const uint64_t c : counts) count += c;
    if (count == 0) return 0;
    best = std::max(best, static_cast<double>(count) / seconds);
  }
  return best;
}

#if defined(LLMA_OPENCL)
// The text for as long as the process.
const char* Keep(const std::string& text) {
  static std::mutex mutex;
  static auto* const kept = new std::set<std::string>;
  const std::lock_guard lock(mutex);
  return kept->insert(text).first->c_str();
}
#endif

}  // namespace

extern "C" {

const char* llma_version_string(void) {
  return LLMA_TEXT(LLMA_VERSION_MAJOR) "." LLMA_TEXT(
      LLMA_VERSION_MINOR) "." LLMA_TEXT(LLMA_VERSION_PATCH);
}
uint32_t llma_version_number(void) { return LLMA_VERSION_NUMBER; }
uint32_t llma_format_version(void) { return llma::kFormatVersion; }
uint32_t llma_predictor_version(void) { return llma::kPredictorId; }
uint32_t llma_model_format_version(void) { return llma::kModelFormatVersion; }

size_t llma_kernels_count(void) { return llma::AllKernels().size(); }

llma_status llma_kernels_get(size_t index, llma_kernels_info* info,
                             llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    if (index >= llma::AllKernels().size()) return Usage("no such kernels");
    const llma::KernelTable& table = *llma::AllKernels()[index];
    return Fill(
        info, {0, table.name, table.description, table.is_supported() ? 1 : 0});
  });
}

llma_status llma_kernels_used(const char** name, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(name);
    LLMA_ASSIGN(const llma::KernelTable* table, llma::KernelsFromEnvironment());
    *name = table->name;
    return llma::OkStatus();
  });
}

size_t llma_engine_count(void) { return llma::AllEngines().size(); }

llma_status llma_engine_get(size_t index, llma_engine_info* info,
                            llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    if (index >= llma::AllEngines().size()) return Usage("no such engine");
    const llma::EngineKind& kind = *llma::AllEngines()[index];
    return Fill(info,
                {0, kind.name, kind.description, kind.is_supported() ? 1 : 0});
  });
}

llma_status llma_engine_used(const char** name, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(name);
    LLMA_ASSIGN(const llma::EngineKind* kind, llma::EngineFromEnvironment());
    *name = kind->name;
    return llma::OkStatus();
  });
}

int llma_engine_failed(llma_error* reason) {
  int has_failed = 0;
  Guard(reason, [&]() -> llma::Status {
    const std::string why = llma::TakeEngineFailure();
    if (why.empty()) return llma::OkStatus();
    has_failed = 1;
    return llma::Error{llma::ErrorCode::kIo, why};
  });
  return has_failed;
}

#if defined(LLMA_OPENCL)
size_t llma_device_count(void) {
  size_t count = 0;
  Guard(nullptr, [&]() -> llma::Status {
    count = llma::opencl::AllDevices().size();
    return llma::OkStatus();
  });
  return count;
}

llma_status llma_device_get(size_t index, llma_device_info* info,
                            llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    const auto& devices = llma::opencl::AllDevices();
    if (index >= devices.size()) return Usage("no such device");
    const llma::opencl::DeviceInfo& device = devices[index];
    return Fill(info, {0, device.name.c_str(), device.driver.c_str(),
                       Keep(llma::opencl::KnownVerdict(device)),
                       device.is_gpu ? 1 : 0});
  });
}
#else
size_t llma_device_count(void) { return 0; }

llma_status llma_device_get(size_t, llma_device_info*, llma_error* error) {
  return Guard(error, []() -> llma::Status { return Usage("no such device"); });
}
#endif

llma_status llma_measure_int8_peak(const char* kernels, uint32_t num_threads,
                                   double* multiply_adds_per_second,
                                   llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(multiply_adds_per_second);
    if (num_threads > kMaxThreads) return Usage("too many threads");
    LLMA_ASSIGN(const llma::KernelTable* table,
                llma::ChooseKernels(kernels == nullptr ? "" : kernels));
    llma::ThreadPool pool(NumThreads(num_threads));
    *multiply_adds_per_second = MeasurePeak(table->name, pool);
    return llma::OkStatus();
  });
}

uint32_t llma_num_processors(void) {
  return static_cast<uint32_t>(llma::NumProcessors());
}

uint64_t llma_usable_memory_bytes(void) { return llma::UsableMemoryBytes(); }

}  // extern "C"
