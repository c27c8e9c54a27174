// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/opencl_device.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace llma::opencl {
namespace {

// In the order of Kernel.
constexpr const char* kKernelNames[kNumKernels] = {"embed",
                                                   "rope",
                                                   "norm",
                                                   "quantize",
                                                   "multiply_one",
                                                   "multiply",
                                                   "multiply_small_tile",
                                                   "multiply_tile",
                                                   "multiply_panel_one",
                                                   "multiply_panel",
                                                   "heads",
                                                   "attend_few",
                                                   "attend",
                                                   "gate",
                                                   "largest_logit",
                                                   "token_weights",
                                                   "add_up",
                                                   "decide",
                                                   "copy_stream",
                                                   "move_positions",
                                                   "operate"};

// What docs/NUMERICS.md asks for, beside quotients and roots, is what compilers
// do if they are not told to be less exact.
constexpr const char* kBuildOptions = "-cl-std=CL1.2";
constexpr const char* kRoundCorrectly =
    " -cl-fp32-correctly-rounded-divide-sqrt";
constexpr const char* kDivideIntegers = " -DLLMA_INTEGER_DIVISION";

template <class T>
T NumberOf(const Api& api, cl_device_id device, cl_uint what) {
  T value{};
  api.GetDeviceInfo(device, what, sizeof(value), &value, nullptr);
  return value;
}

std::string TextOf(const Api& api, cl_device_id device, cl_uint what) {
  size_t size = 0;
  if (api.GetDeviceInfo(device, what, 0, nullptr, &size) != kSuccess) return {};
  std::string text(size, '\0');
  api.GetDeviceInfo(device, what, size, text.data(), nullptr);
  return text.substr(0, text.find('\0'));
}

std::string LackOf(const Api& api, cl_device_id id) {
  const auto has = [&](cl_uint what) {
    return NumberOf<cl_uint>(api, id, what) != 0;
  };
  if (!has(kDeviceAvailable)) return "it is not available";
  if (!has(kDeviceCompilerAvailable)) return "its driver has no compiler";
  if (!has(kDeviceEndianLittle)) return "it has the highest byte first";
  const auto floats = NumberOf<cl_bitfield>(api, id, kDeviceSingleFpConfig);
  if ((floats & kFpRoundToNearest) == 0) return "it does not round to nearest";
  if ((floats & kFpDenorm) == 0) return "it has no subnormal numbers";
  if (NumberOf<size_t>(api, id, kDeviceMaxWorkGroupSize) < kGroupItems) {
    return "its work-groups are too small";
  }
  return {};
}

std::vector<DeviceInfo> ListDevices() {
  std::vector<DeviceInfo> devices;
  const Api* const api = LoadApi();
  cl_uint num_platforms = 0;
  if (api == nullptr ||
      api->GetPlatformIDs(0, nullptr, &num_platforms) != kSuccess) {
    return devices;
  }
  std::vector<cl_platform_id> platforms(num_platforms);
  if (num_platforms == 0 || api->GetPlatformIDs(num_platforms, platforms.data(),
                                                nullptr) != kSuccess) {
    return devices;
  }
  for (const cl_platform_id platform : platforms) {
    cl_uint count = 0;
    if (api->GetDeviceIDs(platform, kDeviceTypeAll, 0, nullptr, &count) !=
        kSuccess) {
      continue;
    }
    std::vector<cl_device_id> ids(count);
    if (count == 0 || api->GetDeviceIDs(platform, kDeviceTypeAll, count,
                                        ids.data(), nullptr) != kSuccess) {
      continue;
    }
    for (const cl_device_id id : ids) {
      DeviceInfo& info = devices.emplace_back();
      info.api = api;
      info.id = id;
      info.name = TextOf(*api, id, kDeviceName);
      info.vendor = TextOf(*api, id, kDeviceVendor);
      info.driver = TextOf(*api, id, kDriverVersion);
      info.version = TextOf(*api, id, kDeviceVersion);
      info.extensions = TextOf(*api, id, kDeviceExtensions);
      info.is_gpu = (NumberOf<cl_bitfield>(*api, id, kDeviceType) &
                     (kDeviceTypeGpu | kDeviceTypeAccelerator)) != 0;
      info.max_group_items =
          NumberOf<size_t>(*api, id, kDeviceMaxWorkGroupSize);
      info.num_units = NumberOf<cl_uint>(*api, id, kDeviceMaxComputeUnits);
      info.memory_bytes = NumberOf<cl_ulong>(*api, id, kDeviceGlobalMemSize);
      info.max_buffer_bytes =
          NumberOf<cl_ulong>(*api, id, kDeviceMaxMemAllocSize);
      info.rounds_correctly =
          (NumberOf<cl_bitfield>(*api, id, kDeviceSingleFpConfig) &
           kFpCorrectlyRoundedDivideSqrt) != 0;
      info.lack = LackOf(*api, id);
    }
  }
  return devices;
}

std::string CodeText(cl_int code) {
  switch (code) {
    case -1:
      return "there is no such device";
    case -2:
      return "the device is not available";
    case -4:
    case -5:
    case -6:
      return "it is out of memory";
    case -36:
      return "the device was lost";
    default:
      return "OpenCL's error " + std::to_string(code);
  }
}

}  // namespace

const char* KernelName(Kernel kernel) {
  return kKernelNames[static_cast<size_t>(kernel)];
}

const std::vector<DeviceInfo>& AllDevices() {
  // Never destroyed: a driver may be gone before static objects are.
  static const auto* const devices = new std::vector<DeviceInfo>(ListDevices());
  return *devices;
}

const DeviceInfo* BestDevice() {
  const DeviceInfo* best = nullptr;
  for (const DeviceInfo& info : AllDevices()) {
    if (!info.lack.empty()) continue;
    if (best == nullptr || (info.is_gpu && !best->is_gpu)) best = &info;
  }
  return best;
}

Result<std::unique_ptr<Device>> Device::Open(const DeviceInfo& info,
                                             const char* source) {
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorCode::kUnsupported,
                 "OpenCL device '" + info.name + "': " + why};
  };
  if (!info.lack.empty()) return refuse(info.lack);
  std::unique_ptr<Device> device(new Device(info, source));
  const Api& api = device->api();
  cl_int code = kSuccess;
  device->context_ =
      api.CreateContext(nullptr, 1, &info.id, nullptr, nullptr, &code);
  if (code != kSuccess) return refuse(CodeText(code));
  // The best way to multiply bytes that can be built.
  std::string log;
  const bool is_nvidia = info.vendor.find("NVIDIA") != std::string::npos;
  if (is_nvidia && device->Build(" -DLLMA_DOT_PTX", log)) {
    device->products_ = "dp4a";
  } else if (info.extensions.find("cl_khr_integer_dot_product") !=
                 std::string::npos &&
             device->Build(" -DLLMA_DOT_KHR", log)) {
    device->products_ = "integer dot product";
  } else if (!device->Build("", log)) {
    return refuse("kernels cannot be built: " + log);
  }
  return device;
}

bool Device::Build(const std::string& options, std::string& log) {
  if (program_ != nullptr) api_->ReleaseProgram(program_);
  cl_int code = kSuccess;
  const char* text = source_;
  program_ = api_->CreateProgramWithSource(context_, 1, &text, nullptr, &code);
  if (code == kSuccess) {
    const std::string all =
        std::string(kBuildOptions) +
        (info_.rounds_correctly ? kRoundCorrectly : kDivideIntegers) + options;
    code = api_->BuildProgram(program_, 1, &info_.id, all.c_str(), nullptr,
                              nullptr);
  }
  if (code == kSuccess) return true;
  log = CodeText(code);
  size_t size = 0;
  if (program_ != nullptr &&
      api_->GetProgramBuildInfo(program_, info_.id, kProgramBuildLog, 0,
                                nullptr, &size) == kSuccess &&
      size > 1) {
    std::string full(size, '\0');
    api_->GetProgramBuildInfo(program_, info_.id, kProgramBuildLog, size,
                              full.data(), nullptr);
    log = full.substr(0, std::min<size_t>(full.find('\0'), 500));
  }
  return false;
}

Device::~Device() {
  if (program_ != nullptr) api_->ReleaseProgram(program_);
  if (context_ != nullptr) api_->ReleaseContext(context_);
}

Result<Buffer> Device::Allocate(uint64_t size_bytes) const {
  return Create(kMemReadWrite, std::max<uint64_t>(size_bytes, 1), nullptr);
}

Result<Buffer> Device::Create(cl_bitfield flags, uint64_t size_bytes,
                              const void* data) const {
  // The driver and the kernels need some of it, too.
  const uint64_t max_used_bytes = info_.memory_bytes - info_.memory_bytes / 8;
  cl_int code = -4;
  cl_mem memory = nullptr;
  const bool has_room = (used_bytes_ += size_bytes) <= max_used_bytes;
  if (has_room && size_bytes <= info_.max_buffer_bytes &&
      size_bytes <= SIZE_MAX) {
    memory =
        api_->CreateBuffer(context_, flags, static_cast<size_t>(size_bytes),
                           const_cast<void*>(data), &code);
  }
  if (code != kSuccess) {
    used_bytes_ -= size_bytes;
    return Error{ErrorCode::kMemory,
                 "OpenCL device '" + info_.name + "': " + CodeText(code) +
                     " (" + std::to_string(size_bytes) + " bytes)"};
  }
  return Buffer(api_, memory, size_bytes, &used_bytes_);
}

Result<std::unique_ptr<Queue>> Queue::Open(const Device& device) {
  std::unique_ptr<Queue> queue(new Queue(device));
  cl_int code = kSuccess;
  queue->queue_ = device.api().CreateCommandQueue(device.context_,
                                                  device.info().id, 0, &code);
  queue->Note(code, "a queue");
  if (code != kSuccess) return queue->Finish().error();
  return queue;
}

Queue::~Queue() {
  if (queue_ != nullptr) {
    api_.Finish(queue_);  // nothing writes into memory that is gone
    api_.ReleaseCommandQueue(queue_);
  }
  for (const cl_kernel kernel : kernels_) {
    if (kernel != nullptr) api_.ReleaseKernel(kernel);
  }
}

void Queue::Note(cl_int code, const char* what) {
  if (code == kSuccess || failure_ != kSuccess) return;
  failure_ = code;
  failed_ = what;
}

void Queue::SetArgBytes(Kernel kernel, cl_uint idx, size_t size,
                        const void* value) {
  if (failure_ != kSuccess) return;
  const auto i = static_cast<size_t>(kernel);
  cl_int code = kSuccess;
  if (kernels_[i] == nullptr) {
    kernels_[i] = api_.CreateKernel(device_.program_, kKernelNames[i], &code);
  }
  if (code == kSuccess) code = api_.SetKernelArg(kernels_[i], idx, size, value);
  Note(code, kKernelNames[i]);
}

void Queue::Launch(Kernel kernel, std::array<size_t, 2> global,
                   std::array<size_t, 2> local) {
  if (failure_ != kSuccess) return;
  const auto i = static_cast<size_t>(kernel);
  // Drivers would choose by the number of rows, and some compile each choice.
  if (local[0] == 0) {
    local = {std::gcd(global[0], kGroupItems), 1};
  }
  Note(api_.EnqueueNDRangeKernel(queue_, kernels_[i], 2, nullptr, global.data(),
                                 local.data(), 0, nullptr, nullptr),
       kKernelNames[i]);
}

void Queue::Write(const Buffer& to, size_t offset_bytes, const void* data,
                  size_t size_bytes) {
  if (failure_ != kSuccess || size_bytes == 0) return;
  Note(api_.EnqueueWriteBuffer(queue_, to.memory(), kTrue, offset_bytes,
                               size_bytes, data, 0, nullptr, nullptr),
       "writing");
}

void Queue::Copy(const Buffer& from, const Buffer& to, size_t size_bytes) {
  if (failure_ != kSuccess || size_bytes == 0) return;
  Note(api_.EnqueueCopyBuffer(queue_, from.memory(), to.memory(), 0, 0,
                              size_bytes, 0, nullptr, nullptr),
       "copying");
}

void Queue::Read(const Buffer& from, size_t offset_bytes, size_t size_bytes,
                 void* data) {
  if (failure_ != kSuccess || size_bytes == 0) return;
  Note(api_.EnqueueReadBuffer(queue_, from.memory(), 0, offset_bytes,
                              size_bytes, data, 0, nullptr, nullptr),
       "reading");
}

Status Queue::Finish() {
  if (queue_ != nullptr) Note(api_.Finish(queue_), "waiting");
  if (failure_ == kSuccess) return OkStatus();
  return Error{ErrorCode::kIo, "OpenCL device '" + device_.info().name +
                                   "': " + failed_ + ": " + CodeText(failure_)};
}

}  // namespace llma::opencl
