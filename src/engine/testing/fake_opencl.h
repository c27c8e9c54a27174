// SPDX-License-Identifier: Apache-2.0
// For tests: OpenCL without a device. Memory is there and work is done in
// order, but kernels compute nothing, so results are zeros. It knows what is
// alive, refuses what a device would, and fails where it is told to.
#ifndef LLMA_ENGINE_TESTING_FAKE_OPENCL_H_
#define LLMA_ENGINE_TESTING_FAKE_OPENCL_H_

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/failing_new.h"
#include "engine/opencl/opencl_api.h"
#include "engine/opencl/opencl_device.h"

namespace llma::opencl {

struct ClPlatform {
  std::vector<cl_device_id> devices;
};
struct ClDevice {
  std::map<cl_uint, uint64_t> numbers;
  std::map<cl_uint, std::string> texts;
};
struct ClContext {};
struct ClProgram {};
struct ClKernel {};
struct ClMem {
  size_t size_bytes;
  char* bytes;
};
struct ClQueue {
  struct Read {
    const char* from;
    void* to;
    size_t size_bytes;
  };
  std::vector<Read> reads;  // until Finish(), as a device may take its time
};

class FakeOpenCl {
 public:
  // One at a time. Platforms may be changed.
  FakeOpenCl() {
    current_ = this;
    Add(platforms.emplace_back());
  }
  ~FakeOpenCl() { current_ = nullptr; }
  FakeOpenCl(const FakeOpenCl&) = delete;
  FakeOpenCl& operator=(const FakeOpenCl&) = delete;

  // A GPU to which nothing is lacking.
  static void Add(ClPlatform& platform) {
    static ClDevice gpu = {
        {{kDeviceType, kDeviceTypeGpu},
         {kDeviceMaxComputeUnits, 4},
         {kDeviceMaxWorkGroupSize, 256},
         {kDeviceMaxMemAllocSize, 1 << 28},
         {kDeviceSingleFpConfig,
          kFpDenorm | kFpRoundToNearest | kFpCorrectlyRoundedDivideSqrt},
         {kDeviceGlobalMemSize, 1 << 30},
         {kDeviceLocalMemSize, 32 << 10},
         {kDeviceEndianLittle, 1},
         {kDeviceAvailable, 1},
         {kDeviceCompilerAvailable, 1}},
        {{kDeviceName, "fake"},
         {kDeviceVendor, "none"},
         {kDriverVersion, "1"},
         {kDeviceVersion, "OpenCL 1.2"},
         {kDeviceExtensions, ""}}};
    platform.devices.push_back(&gpu);
  }
  const Api& api() const { return api_; }
  DeviceInfo device() const { return ListDevices(api_)[0]; }

  std::vector<ClPlatform> platforms;
  // Objects that are not released.
  std::atomic<int> num_live = 0;
  // What a device would refuse, or worse.
  std::atomic<int> num_misuses = 0;
  // The call that fails, and whether all that follow do; 0: none. Creating,
  // building, starting, copying, waiting: all but releasing.
  std::atomic<int> num_calls = 0, failing_call = 0;
  std::atomic<bool> fails_once = false;
  std::atomic<cl_int> failing_code = -5;

 private:
  static bool Fails() {
    FakeOpenCl& of = *current_;
    const int call = ++of.num_calls;
    const int failing = of.failing_call;
    return failing != 0 && (of.fails_once ? call == failing : call >= failing);
  }
  static cl_int Call() {
    return Fails() ? current_->failing_code.load() : kSuccess;
  }
  static cl_int Check(bool is_right) {
    if (is_right) return Call();
    ++current_->num_misuses;
    return -30;
  }
  template <class T>
  static T* Create(cl_int* code, T object = {}) {
    const Unlimited unlimited;
    *code = Call();
    if (*code != kSuccess) return nullptr;
    ++current_->num_live;
    return new T(std::move(object));
  }
  template <class T>
  static cl_int LLMA_CL_CALL Release(T* object) {
    --current_->num_live;
    delete object;
    return kSuccess;
  }
  // `size`: of the result.
  static cl_int Copy(const void* from, size_t size_bytes, size_t size, void* to,
                     size_t* size_ret) {
    if (size_ret != nullptr) *size_ret = size_bytes;
    if (to != nullptr) std::memcpy(to, from, std::min(size, size_bytes));
    return kSuccess;
  }
  static bool IsIn(const ClMem* memory, size_t offset, size_t size_bytes) {
    return memory != nullptr && size_bytes > 0 &&
           offset <= memory->size_bytes &&
           size_bytes <= memory->size_bytes - offset;
  }

  static inline FakeOpenCl* current_ = nullptr;
  const Api api_ = {
      .GetPlatformIDs = [](cl_uint room, cl_platform_id* ids,
                           cl_uint* count) -> cl_int {
        auto& all = current_->platforms;
        if (all.empty()) return -1001;  // as loaders do
        if (count != nullptr) *count = static_cast<cl_uint>(all.size());
        for (cl_uint i = 0; i < room && i < all.size(); ++i) ids[i] = &all[i];
        return kSuccess;
      },
      .GetDeviceIDs = [](cl_platform_id platform, cl_bitfield, cl_uint room,
                         cl_device_id* ids, cl_uint* count) -> cl_int {
        const auto& all = platform->devices;
        if (all.empty()) return -1;
        if (count != nullptr) *count = static_cast<cl_uint>(all.size());
        for (cl_uint i = 0; i < room && i < all.size(); ++i) ids[i] = all[i];
        return kSuccess;
      },
      .GetDeviceInfo = [](cl_device_id id, cl_uint what, size_t size, void* to,
                          size_t* size_ret) -> cl_int {
        if (const auto text = id->texts.find(what); text != id->texts.end()) {
          return Copy(text->second.c_str(), text->second.size() + 1, size, to,
                      size_ret);
        }
        const auto number = id->numbers.find(what);
        if (number == id->numbers.end()) return -30;
        return Copy(&number->second, size, size, to, size_ret);
      },
      .CreateContext =
          [](const intptr_t* properties, cl_uint count, const cl_device_id* ids,
             void(LLMA_CL_CALL*)(const char*, const void*, size_t, void*),
             void*, cl_int* code) -> cl_context {
        // The device is of the platform that is named.
        const auto platform =
            properties != nullptr && properties[0] == kContextPlatform
                ? reinterpret_cast<cl_platform_id>(properties[1])
                : nullptr;
        if (platform == nullptr || count != 1 ||
            std::ranges::count(platform->devices, ids[0]) == 0) {
          ++current_->num_misuses;
        }
        return Create<ClContext>(code);
      },
      .ReleaseContext = Release<ClContext>,
      .CreateCommandQueue = [](cl_context, cl_device_id, cl_bitfield,
                               cl_int* code) { return Create<ClQueue>(code); },
      .ReleaseCommandQueue = Release<ClQueue>,
      .CreateBuffer = [](cl_context, cl_bitfield, size_t size_bytes, void* data,
                         cl_int* code) -> cl_mem {
        ClMem* const memory = Create<ClMem>(code);
        if (memory == nullptr) return nullptr;
        *memory = {size_bytes, static_cast<char*>(std::calloc(size_bytes, 1))};
        if (data != nullptr) std::memcpy(memory->bytes, data, size_bytes);
        return memory;
      },
      .ReleaseMemObject = [](cl_mem memory) -> cl_int {
        std::free(memory->bytes);
        return Release(memory);
      },
      .CreateProgramWithSource =
          [](cl_context, cl_uint, const char**, const size_t*, cl_int* code) {
            return Create<ClProgram>(code);
          },
      .BuildProgram = [](cl_program, cl_uint, const cl_device_id*, const char*,
                         void(LLMA_CL_CALL*)(cl_program, void*),
                         void*) -> cl_int { return Call(); },
      .GetProgramBuildInfo = [](cl_program, cl_device_id, cl_uint, size_t size,
                                void* to, size_t* size_ret) -> cl_int {
        constexpr char kLog[] = "a log";
        return Copy(kLog, sizeof(kLog), size, to, size_ret);
      },
      .ReleaseProgram = Release<ClProgram>,
      .CreateKernel = [](cl_program, const char*,
                         cl_int* code) { return Create<ClKernel>(code); },
      .ReleaseKernel = Release<ClKernel>,
      .SetKernelArg = [](cl_kernel, cl_uint, size_t size,
                         const void*) -> cl_int { return Check(size > 0); },
      .EnqueueNDRangeKernel = [](cl_command_queue, cl_kernel, cl_uint dims,
                                 const size_t*, const size_t* global,
                                 const size_t* local, cl_uint, const cl_event*,
                                 cl_event*) -> cl_int {
        bool is_right = dims == 2 && local[0] * local[1] <= 256;
        for (cl_uint i = 0; i < dims; ++i) {
          is_right = is_right && local[i] > 0 && global[i] > 0 &&
                     global[i] % local[i] == 0;
        }
        return Check(is_right);
      },
      .EnqueueReadBuffer = [](cl_command_queue queue, cl_mem from, cl_uint,
                              size_t offset, size_t size_bytes, void* to,
                              cl_uint, const cl_event*, cl_event*) -> cl_int {
        const cl_int code = Check(IsIn(from, offset, size_bytes));
        const Unlimited unlimited;
        if (code == kSuccess) {
          queue->reads.push_back({from->bytes + offset, to, size_bytes});
        }
        return code;
      },
      .EnqueueWriteBuffer = [](cl_command_queue, cl_mem to, cl_uint,
                               size_t offset, size_t size_bytes,
                               const void* from, cl_uint, const cl_event*,
                               cl_event*) -> cl_int {
        const cl_int code = Check(IsIn(to, offset, size_bytes));
        if (code == kSuccess) std::memcpy(to->bytes + offset, from, size_bytes);
        return code;
      },
      .EnqueueCopyBuffer = [](cl_command_queue, cl_mem from, cl_mem to,
                              size_t from_offset, size_t to_offset,
                              size_t size_bytes, cl_uint, const cl_event*,
                              cl_event*) -> cl_int {
        const cl_int code = Check(IsIn(from, from_offset, size_bytes) &&
                                  IsIn(to, to_offset, size_bytes));
        if (code == kSuccess) {
          std::memcpy(to->bytes + to_offset, from->bytes + from_offset,
                      size_bytes);
        }
        return code;
      },
      .Finish = [](cl_command_queue queue) -> cl_int {
        // Also where it then says that it has failed.
        for (const ClQueue::Read& read : queue->reads) {
          std::memcpy(read.to, read.from, read.size_bytes);
        }
        queue->reads.clear();
        return Call();
      },
  };
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_TESTING_FAKE_OPENCL_H_
