// SPDX-License-Identifier: Apache-2.0
// A device of OpenCL with the kernels of kernels.cl, and queues of work for it.
#ifndef LLMA_ENGINE_OPENCL_OPENCL_DEVICE_H_
#define LLMA_ENGINE_OPENCL_OPENCL_DEVICE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/opencl/opencl_api.h"

namespace llma::opencl {

// What a device says of itself.
struct DeviceInfo {
  const Api* api = nullptr;
  cl_platform_id platform = nullptr;
  cl_device_id id = nullptr;
  std::string name, vendor, driver, version, extensions;
  bool is_gpu = false;
  size_t max_group_items = 0;
  uint32_t num_units = 0;  // each runs groups of items by itself
  uint64_t memory_bytes = 0;
  uint64_t max_buffer_bytes = 0;
  // Quotients and roots; else integers compute them.
  bool rounds_correctly = false;
  // Why it cannot compute what it must; empty if nothing is known against it.
  std::string lack;
};

// All devices of all platforms.
std::vector<DeviceInfo> ListDevices(const Api& api);
// The same; none where there is no OpenCL. Asked once.
const std::vector<DeviceInfo>& AllDevices();
// Those to use, the best first: GPUs that lack nothing, else other devices that
// do not.
std::vector<DeviceInfo> UsableDevices(std::span<const DeviceInfo> devices);
// The first of AllDevices() to use; null if there is none.
const DeviceInfo* BestDevice();

// The text of division.cl, kernels.cl, matrices.cl, and tiles.cl and
// attention.cl for each number of rows and queries.
extern const char* const kKernelSource;

enum class Kernel {
  kEmbed,
  kRope,
  kNorm,
  kQuantize,
  kMultiplyOne,
  kMultiply,
  kMultiplySmallTile,
  kMultiplyTile,
  kMultiplyPanelOne,
  kMultiplyPanel,
  kHeads,
  kAttendFew,
  kAttend,
  kGate,
  kLargestLogit,
  kTokenWeights,
  kAddUp,
  kDecide,
  kCopyStream,
  kMovePositions,
  kOperate,
};
inline constexpr size_t kNumKernels = 21;
const char* KernelName(Kernel kernel);     // in the program's text
inline constexpr size_t kGroupItems = 64;  // ITEMS of kernels.cl
// Of tiles.cl: TILE, TILE_ITEMS; 8 * ROWS of multiply_small_tile and
// multiply_tile.
inline constexpr uint32_t kTileWeightRows = 64;
inline constexpr size_t kTileItems = 128;
inline constexpr uint32_t kSmallTileRows = 16, kTileRows = 64;
inline size_t RoundedUp(size_t size, size_t unit) {
  return (size + unit - 1) / unit * unit;
}
// QUERIES of the kernels attend_few and attend.
inline constexpr uint32_t kFewQueries = 4, kManyQueries = 24;

// An object of OpenCL, which is released with its owner.
template <class Object>
struct Releaser {
  cl_int(LLMA_CL_CALL* release)(Object*) = nullptr;
  void operator()(Object* object) const { release(object); }
};
template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>,
                              Releaser<std::remove_pointer_t<Handle>>>;

// The same of memory, which is counted.
struct MemoryReleaser {
  const Api* api = nullptr;
  uint64_t size_bytes = 0;
  std::atomic<uint64_t>* used_bytes = nullptr;  // of the device
  void operator()(cl_mem memory) const {
    api->ReleaseMemObject(memory);
    *used_bytes -= size_bytes;
  }
};

// Memory of a device. Movable. The device must outlive it.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Api& api, cl_mem memory, uint64_t size_bytes,
         std::atomic<uint64_t>& used_bytes)
      : memory_(memory, {&api, size_bytes, &used_bytes}) {}
  cl_mem memory() const { return memory_.get(); }
  uint64_t size_bytes() const {
    return memory_ == nullptr ? 0 : memory_.get_deleter().size_bytes;
  }

 private:
  std::unique_ptr<std::remove_pointer_t<cl_mem>, MemoryReleaser> memory_;
};

// A device in use: a context and the program. Thread-safe.
class Device {
 public:
  // Builds the program. kUnsupported, with the reason, if that fails.
  static Result<std::unique_ptr<Device>> Open(
      const DeviceInfo& info, const char* source = kKernelSource);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const DeviceInfo& info() const { return info_; }
  const Api& api() const { return *api_; }
  // "dp4a", "integer dot product" or "bytes": by what dot products are made.
  const char* products() const { return products_; }
  const char* quotients() const {
    return info_.rounds_correctly ? "floats" : "integers";
  }

  // Of buffers.
  uint64_t used_bytes() const { return used_bytes_; }

  // At least a byte. kMemory if it cannot be had, or most of the device's
  // memory would be in use. `data` is copied.
  Result<Buffer> Allocate(uint64_t size_bytes) const;
  template <class T>
  Result<Buffer> Upload(std::span<const T> data) const {
    if (data.empty()) return Allocate(1);
    return Create(kMemReadOnly | kMemCopyHostPtr, data.size_bytes(),
                  data.data());
  }

 private:
  friend class Queue;
  Device(const DeviceInfo& info, const char* source)
      : info_(info), source_(source), api_(info.api) {}
  Result<Buffer> Create(cl_bitfield flags, uint64_t size_bytes,
                        const void* data) const;
  // The log if it cannot be built.
  bool Build(const std::string& options, std::string& log);

  const DeviceInfo info_;
  const char* const source_;
  const Api* const api_;
  const char* products_ = "bytes";
  Owned<cl_context> context_;
  Owned<cl_program> program_;
  mutable std::atomic<uint64_t> used_bytes_{0};
};

// An argument of a kernel: as much local memory.
struct LocalBytes {
  size_t size;
};

// Work for a device, done in order. The first thing that fails stays as the
// error of all. Only Finish() may throw, when all is done. Thread-compatible.
// The device must outlive it.
class Queue {
 public:
  static Result<std::unique_ptr<Queue>> Open(const Device& device);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Local sizes {0}: any that divide the global ones. Arguments are buffers and
  // numbers.
  template <class... Args>
  void Run(Kernel kernel, std::array<size_t, 2> global,
           std::array<size_t, 2> local, const Args&... args) {
    cl_uint idx = 0;
    (SetArg(kernel, idx++, args), ...);
    Launch(kernel, global, local);
  }
  // Copies now what `data` has; in order with the work.
  void Write(const Buffer& to, size_t offset_bytes, const void* data,
             size_t size_bytes);
  void Copy(const Buffer& from, const Buffer& to, size_t size_bytes);
  // `data` has it after Finish().
  void Read(const Buffer& from, size_t offset_bytes, size_t size_bytes,
            void* data);
  // Waits for all work. kIo with what failed.
  Status Finish();

 private:
  explicit Queue(const Device& device) : device_(device), api_(device.api()) {}
  void SetArg(Kernel kernel, cl_uint idx, const Buffer& buffer) {
    const cl_mem memory = buffer.memory();
    SetArgBytes(kernel, idx, sizeof(memory), &memory);
  }
  void SetArg(Kernel kernel, cl_uint idx, LocalBytes local) {
    SetArgBytes(kernel, idx, local.size, nullptr);
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void SetArg(Kernel kernel, cl_uint idx, T value) {
    SetArgBytes(kernel, idx, sizeof(value), &value);
  }
  void SetArgBytes(Kernel kernel, cl_uint idx, size_t size, const void* value);
  void Launch(Kernel kernel, std::array<size_t, 2> global,
              std::array<size_t, 2> local);
  void Note(cl_int code, const char* what);

  const Device& device_;
  const Api& api_;
  Owned<cl_command_queue> queue_;
  std::array<Owned<cl_kernel>, kNumKernels> kernels_;  // those that were used
  cl_int failure_ = kSuccess;
  const char* failed_ = nullptr;  // what did
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_OPENCL_DEVICE_H_
