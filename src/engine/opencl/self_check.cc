// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/self_check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/hex.h"
#include "base/thread_pool.h"
#include "engine/cpu_engine.h"
#include "engine/opencl/device_products.h"
#include "numerics/exact_math.h"
#include "numerics/reference_ops.h"
#include "platform/descriptors.h"
#include "platform/file_system.h"
#include "platform/output_file.h"

namespace llma::opencl {
namespace {

constexpr size_t kNumOperations = 10;  // OPERATIONS of kernels.cl
constexpr const char* kOperationNames[kNumOperations] = {
    "a * b + c", "a * b * c", "a / b",   "sqrt(a)", "1 / sqrt(a)",
    "float(a)",  "2^a",       "tanh(a)", "a dot b", "a - b * c"};

// xorshift64*.
class CheckRandom {
 public:
  uint32_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<uint32_t>(state_ * 0x2545f4914f6cdd1d >> 32);
  }
  uint32_t Below(uint32_t bound) {
    return static_cast<uint32_t>(uint64_t{Next()} * bound >> 32);
  }
  // Any finite float, half of them of usual size; at times a special one.
  float Float() {
    constexpr uint32_t kSpecial[] = {0,          0x80000000, 1,
                                     0x007fffff, 0x00800000, 0x7f7fffff,
                                     0x3f800000, 0xbf800000, 0x4b400000};
    const uint32_t kind = Below(16);
    if (kind == 0) {
      return std::bit_cast<float>(kSpecial[Below(std::size(kSpecial))]);
    }
    uint32_t bits = Next();
    if (kind < 9) {
      bits = (bits & 0x807fffff) | (120 + Below(16)) << 23;
    } else if (kind == 9) {
      bits &= 0x807fffff;  // subnormal
    }
    if ((bits & 0x7f800000) == 0x7f800000) bits &= ~uint32_t{0x40000000};
    return std::bit_cast<float>(bits);
  }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
};

uint32_t DotOfBytes(float a, float b, float c) {
  const auto x = std::bit_cast<uint32_t>(a), y = std::bit_cast<uint32_t>(b);
  int32_t sum = std::bit_cast<int32_t>(c) >> 1;
  for (int shift = 0; shift < 32; shift += 8) {
    sum += static_cast<int8_t>(x >> shift) * static_cast<int8_t>(y >> shift);
  }
  return static_cast<uint32_t>(sum);
}

// What the kernel `operate` gives.
void Operate(float a, float b, float c, uint32_t* results) {
  const auto put = [&](float value) {
    *results++ = std::bit_cast<uint32_t>(value);
  };
  const float product = a * b;
  put(product + c);
  put(product * c);
  put(a / b);
  put(std::sqrt(std::fabs(a)));
  put(1.0f / std::sqrt(std::fabs(a) + 0x1p-20f));
  put(static_cast<float>(std::bit_cast<int32_t>(a)));
  put(Exp2NonPositive(-std::fabs(a)));
  const float e = Exp2NonPositive(-(std::fabs(a) * std::fabs(b)));
  const float capped = 30.0f * ((1.0f - e) / (1.0f + e));
  put(a >= 0.0f ? capped : -capped);
  *results++ = DotOfBytes(a, b, c);
  const float other = b * c;
  put(a - other);
}

bool IsNan(uint32_t bits) { return (bits & 0x7fffffff) > 0x7f800000; }

// Numbers at which something ends or changes: the first and last ones of some
// powers of two.
constexpr uint32_t kSpecialExponents[] = {0,   1,   2,   24,  25,  26,  101,
                                          103, 126, 127, 128, 150, 228, 254};
constexpr uint32_t kSpecialFractions[] = {0, 1, 0x400000, 0x7fffff};
constexpr size_t kNumSpecials =
    std::size(kSpecialExponents) * std::size(kSpecialFractions);
float SpecialFloat(size_t idx, bool is_negative) {
  return std::bit_cast<float>(
      uint32_t{is_negative} << 31 |
      kSpecialExponents[idx / std::size(kSpecialFractions)] << 23 |
      kSpecialFractions[idx % std::size(kSpecialFractions)]);
}

Error Differs(const std::string& what) {
  return {ErrorCode::kUnsupported, "it computes otherwise: " + what};
}

// One stream of random tokens.
constexpr uint32_t kCheckedTokens = 110;

// Batches of several sizes, {tokens of each}, for all kernels: one row, few,
// more than a tile.
constexpr uint32_t kCheckedBatches[] = {1, 3, 20, 70, 16};

}  // namespace

Status CheckOperations(const Device& device) {
  constexpr size_t kCount = 1 << 14;
  CheckRandom random;
  std::vector<float> a(kCount), b(kCount), c(kCount);
  for (size_t i = 0; i < kCount; ++i) {
    if (i < kNumSpecials * kNumSpecials) {
      a[i] = SpecialFloat(i / kNumSpecials, i % 2 != 0);
      b[i] = SpecialFloat(i % kNumSpecials, i % 3 == 0);
    } else {
      a[i] = random.Float();
      b[i] = random.Float();
    }
    // Often where fusing shows: close to the negative product.
    const float product = a[i] * b[i];
    c[i] = i % 2 == 0 && std::isfinite(product) ? -product : random.Float();
  }
  LLMA_ASSIGN(const auto queue, Queue::Open(device));
  LLMA_ASSIGN(const Buffer on_a, device.Upload(std::span<const float>(a)));
  LLMA_ASSIGN(const Buffer on_b, device.Upload(std::span<const float>(b)));
  LLMA_ASSIGN(const Buffer on_c, device.Upload(std::span<const float>(c)));
  std::vector<uint32_t> results(kCount * kNumOperations);
  const size_t size_bytes = results.size() * sizeof(uint32_t);
  LLMA_ASSIGN(const Buffer on_results, device.Allocate(size_bytes));
  queue->Run(Kernel::kOperate, {kCount, 1}, {kGroupItems, 1}, on_a, on_b, on_c,
             on_results);
  queue->Read(on_results, 0, size_bytes, results.data());
  LLMA_TRY(queue->Finish());
  for (size_t i = 0; i < kCount; ++i) {
    uint32_t expected[kNumOperations];
    Operate(a[i], b[i], c[i], expected);
    for (size_t k = 0; k < kNumOperations; ++k) {
      const uint32_t got = results[i * kNumOperations + k];
      if (got == expected[k] || (IsNan(got) && IsNan(expected[k]))) continue;
      char text[120];
      std::snprintf(
          text, sizeof text, "%s is %08x, not %08x (a = %a, b = %a, c = %a)",
          kOperationNames[k], got, expected[k], static_cast<double>(a[i]),
          static_cast<double>(b[i]), static_cast<double>(c[i]));
      return Differs(text);
    }
  }
  return OkStatus();
}

Status CheckProducts(const Device& device) {
  // Parts of tiles and panels at both ends of rows; several groups of columns.
  constexpr uint32_t kWRows = 150, kXRows = 73, kGroups = 3;
  constexpr uint32_t kFirstRow = 2, kCounts[] = {1, 3, 17, kXRows - kFirstRow};
  constexpr uint32_t kCols = kGroups * kGroupSize;
  CheckRandom random;
  LinearWeights w{nullptr, nullptr, kWRows, kCols};
  const uint32_t stride = w.num_panels() * kPanelRows;
  std::vector<int8_t> w_values(w.values_bytes()), x_values(kXRows * kCols);
  std::vector<float> w_scales(w.num_scales()), x_scales(kXRows * kGroups);
  // A row in eight has nothing but the largest values in its first group, so
  // that products of two such rows have the largest sum.
  const auto value = [&](uint32_t row, uint32_t col) {
    if (row % 8 == 0 && col < kGroupSize) return int8_t{127};
    return static_cast<int8_t>(static_cast<int>(random.Below(255)) - 127);
  };
  const auto scale = [&] {
    return static_cast<float>(1 + random.Below(1 << 20)) * 0x1p-26f;
  };
  for (uint32_t row = 0; row < kWRows; ++row) {
    for (uint32_t col = 0; col < kCols; ++col) {
      w_values[w.value_idx(row, col)] = value(row, col);
    }
    for (uint32_t g = 0; g < kGroups; ++g) {
      w_scales[w.scale_idx(row, g)] = scale();
    }
  }
  for (uint32_t i = 0; i < x_values.size(); ++i) {
    x_values[i] = value(i / kCols, i % kCols);
  }
  for (float& one : x_scales) one = scale();
  w.values = w_values.data();
  w.scales = w_scales.data();
  const std::vector<int32_t> starts(kXRows * kGroups);  // not used here
  const QuantizedRows x = {x_values.data(), x_scales.data(), starts.data(),
                           kXRows,          kCols,           kGroups};
  std::vector<float> expected(size_t{kXRows} * stride), y(expected.size());
  reference::Matmul(w, 0, w.num_panels(), x, expected.data(), stride);

  LLMA_ASSIGN(const auto queue, Queue::Open(device));
  DeviceWeights::Matrix on_w;
  LLMA_ASSIGN(on_w.values, device.Upload(std::span<const int8_t>(w_values)));
  LLMA_ASSIGN(on_w.scales, device.Upload(std::span<const float>(w_scales)));
  on_w.num_rows = stride;
  on_w.num_groups = kGroups;
  LLMA_ASSIGN(const Buffer on_x,
              device.Upload(std::span<const int8_t>(x_values)));
  LLMA_ASSIGN(const Buffer on_x_scales,
              device.Upload(std::span<const float>(x_scales)));
  LLMA_ASSIGN(const Buffer on_y, device.Allocate(y.size() * sizeof(float)));
  for (const Kernel kernel : ProductKernels(device.info())) {
    for (const uint32_t count : kCounts) {
      std::memset(y.data(), 0xff, y.size() * sizeof(float));  // no number
      queue->Write(on_y, 0, y.data(), y.size() * sizeof(float));
      StartProduct(
          *queue, kernel,
          {on_w, kWRows, on_x, on_x_scales, kFirstRow, count, on_y, stride});
      queue->Read(on_y, 0, size_t{count} * stride * sizeof(float), y.data());
      LLMA_TRY(queue->Finish());
      for (uint32_t row = 0; row < count; ++row) {
        const float* right = &expected[size_t{kFirstRow + row} * stride];
        const float* got = &y[size_t{row} * stride];
        if (std::memcmp(got, right, kWRows * sizeof(float)) == 0) continue;
        return Differs("row " + std::to_string(row) + " of " +
                       std::to_string(count) + " of a product by kernel " +
                       KernelName(kernel));
      }
    }
  }
  return OkStatus();
}

Status CheckModel(Engine& engine, const KernelTable& kernels,
                  uint32_t window_positions) {
  const ModelConfig& config = engine.model().config();
  CpuEngine cpu(engine.model(), kernels);
  CheckRandom random;
  std::vector<uint32_t> tokens = {config.start_row};
  while (tokens.size() <= kCheckedTokens) {
    tokens.push_back(random.Below(config.num_tokens));
  }
  ThreadPool pool(1);
  const uint64_t stream_bytes = kCheckedTokens;
  const uint32_t most = *std::ranges::max_element(kCheckedBatches);
  const SessionOptions options = {
      {1, window_positions, most}, {&stream_bytes, 1}, pool};
  LLMA_ASSIGN(const auto encoder, engine.OpenEncoder(options));
  LLMA_ASSIGN(const auto decoder, engine.OpenDecoder(options));
  LLMA_ASSIGN(const auto expected_encoder, cpu.OpenEncoder(options));
  LLMA_ASSIGN(const auto expected_decoder, cpu.OpenDecoder(options));
  TokenMasses masses(config.num_tokens), expected_masses(config.num_tokens);
  uint32_t begin = 0;
  for (const uint32_t count : kCheckedBatches) {
    const StreamTokens batch = {0, std::span(tokens).subspan(begin, count)};
    const auto targets = std::span(tokens).subspan(begin + 1, count);
    std::vector<std::vector<Probability>> paths(count), expected_paths(count);
    LLMA_TRY(encoder->Run({&batch, 1}, targets, paths, {}));
    LLMA_TRY(expected_encoder->Run({&batch, 1}, targets, expected_paths, {}));
    LLMA_TRY(decoder->Run({&batch, 1}));
    LLMA_TRY(expected_decoder->Run({&batch, 1}));
    for (uint32_t row = 0; row < count; ++row) {
      const auto where = [&] {
        return "token " + std::to_string(begin + row) + " of the model '" +
               std::string(engine.model().name()) + "'";
      };
      decoder->Weigh(row, masses);
      expected_decoder->Weigh(row, expected_masses);
      for (uint32_t i = 0; i < config.num_tokens; ++i) {
        if (masses.weight(i) == expected_masses.weight(i)) continue;
        return Differs("the weight of row " + std::to_string(i) + " after " +
                       where());
      }
      // Weights may be this machine's; sums are the device's.
      for (uint32_t i = 0; i < config.num_tokens; i += kTokenBlock) {
        const uint32_t end = std::min(i + kTokenBlock, config.num_tokens);
        if (masses.Mass(i, end) == expected_masses.Mass(i, end)) continue;
        return Differs("the sum of weights from row " + std::to_string(i) +
                       " on, after " + where());
      }
      if (paths[row] != expected_paths[row]) {
        return Differs("the path after " + where());
      }
    }
    begin += count;
  }
  return OkStatus();
}

namespace {

// What both are known by.
void HashDevice(Xxh3Stream& hash, const DeviceInfo& info) {
  for (const std::string* text :
       {&info.name, &info.vendor, &info.driver, &info.version}) {
    hash.Update(AsBytes(*text));
    hash.Update(AsBytes(std::string_view("\0", 1)));
  }
  hash.Update(AsBytes(kKernelSource));
}

std::string NameOf(const Xxh3Stream& hash) {
  char text[32];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(hash.Digest()));
  return text;
}

std::string FolderOfVerdicts() {
  const std::string folder = UserDataFolder();
  return folder.empty() ? "" : folder + "/llma/opencl";
}

constexpr std::string_view kPassed = "passed\n", kRefused = "refused: ";

// What a file says; nothing if there is none, or not a whole one.
std::string LoadVerdict(const std::string& name) {
  constexpr uint64_t kMaxBytes = 4096;
  const std::string folder = FolderOfVerdicts();
  if (folder.empty()) return {};
  const auto bytes = ReadFile(folder + "/" + name, kMaxBytes);
  if (!bytes) return {};
  const std::string_view text = AsStringView(*bytes);
  const bool is_whole = text == kPassed || (text.starts_with(kRefused) &&
                                            text.find('\n') == text.size() - 1);
  return is_whole ? std::string(text) : std::string();
}

// Where it cannot be kept, it is found again next time.
void StoreVerdict(const std::string& name, const std::string& verdict) {
  const std::string folder = FolderOfVerdicts();
  if (folder.empty() || !MakeFolders(folder)) return;
  OutputFileOptions options;
  options.overwrite = true;
  auto file = OutputFile::Create(folder + "/" + name, options);
  if (file && file->Write(AsBytes(verdict))) (void)file->Commit();
}

std::string DeviceVerdictName(const DeviceInfo& info) {
  Xxh3Stream hash;
  HashDevice(hash, info);
  return NameOf(hash);
}

}  // namespace

std::string VerdictName(const Device& device, const Model& model) {
  Xxh3Stream hash;
  HashDevice(hash, device.info());
  hash.Update(AsBytes(device.products()));
  hash.Update(AsBytes(device.quotients()));
  hash.Update(model.fingerprint());
  return NameOf(hash);
}

Status CheckOnce(OpenClEngine& engine, const KernelTable& kernels) {
  static std::mutex mutex;
  static auto* const known = new std::map<std::string, std::string>;
  const Device& device = engine.device();
  const std::string name = VerdictName(device, engine.model());
  const std::lock_guard lock(mutex);
  std::string& verdict = (*known)[name];
  if (verdict.empty()) verdict = LoadVerdict(name);
  if (verdict.empty()) {
    Status status = CheckOperations(device);
    if (status) status = CheckProducts(device);
    if (status) status = CheckModel(engine, kernels);
    // What is not a difference, such as memory that ran out, may pass.
    if (!status && status.error().code != ErrorCode::kUnsupported) {
      return status;
    }
    verdict = status ? std::string(kPassed)
                     : std::string(kRefused) + status.error().what + "\n";
    StoreVerdict(name, verdict);
    StoreVerdict(DeviceVerdictName(device.info()), verdict);
  }
  if (verdict == kPassed) return OkStatus();
  std::string why = verdict;
  if (why.starts_with(kRefused)) why.erase(0, kRefused.size());
  while (why.ends_with('\n')) why.pop_back();
  return Error{ErrorCode::kUnsupported, "OpenCL device '" + device.info().name +
                                            "' (driver " +
                                            device.info().driver + "): " + why};
}

std::string KnownVerdict(const DeviceInfo& info) {
  if (!info.lack.empty()) return "cannot be used: " + info.lack;
  std::string verdict = LoadVerdict(DeviceVerdictName(info));
  if (verdict.empty()) return "not checked yet";
  while (verdict.ends_with('\n')) verdict.pop_back();
  return verdict == "passed" ? "computes as it must" : verdict;
}

}  // namespace llma::opencl
