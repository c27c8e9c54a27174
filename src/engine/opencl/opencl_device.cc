// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/opencl_device.h"

#include <algorithm>
#include <functional>
#include <iterator>
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

// More than any kernel takes (attention.cl the most); all devices of the full
// profile have it.
constexpr uint64_t kLocalBytes = 32 << 10;

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
  if (NumberOf<cl_ulong>(api, id, kDeviceLocalMemSize) < kLocalBytes) {
    return "it has too little local memory";
  }
  return {};
}

DeviceInfo InfoOf(const Api& api, cl_platform_id platform, cl_device_id id) {
  const auto floats = NumberOf<cl_bitfield>(api, id, kDeviceSingleFpConfig);
  const auto type = NumberOf<cl_bitfield>(api, id, kDeviceType);
  return {
      .api = &api,
      .platform = platform,
      .id = id,
      .name = TextOf(api, id, kDeviceName),
      .vendor = TextOf(api, id, kDeviceVendor),
      .driver = TextOf(api, id, kDriverVersion),
      .version = TextOf(api, id, kDeviceVersion),
      .extensions = TextOf(api, id, kDeviceExtensions),
      .is_gpu = (type & (kDeviceTypeGpu | kDeviceTypeAccelerator)) != 0,
      .max_group_items = NumberOf<size_t>(api, id, kDeviceMaxWorkGroupSize),
      .num_units = NumberOf<cl_uint>(api, id, kDeviceMaxComputeUnits),
      .memory_bytes = NumberOf<cl_ulong>(api, id, kDeviceGlobalMemSize),
      .max_buffer_bytes = NumberOf<cl_ulong>(api, id, kDeviceMaxMemAllocSize),
      .rounds_correctly = (floats & kFpCorrectlyRoundedDivideSqrt) != 0,
      .lack = LackOf(api, id)};
}

// What a function of OpenCL lists; nothing if it fails.
template <class Id, class List>
std::vector<Id> IdsOf(const List& list) {
  cl_uint count = 0;
  if (list(0, nullptr, &count) != kSuccess || count == 0) return {};
  std::vector<Id> ids(count);
  if (list(count, ids.data(), &count) != kSuccess) return {};
  ids.resize(std::min<size_t>(count, ids.size()));  // one may have gone
  return ids;
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

std::vector<DeviceInfo> ListDevices(const Api& api) {
  std::vector<DeviceInfo> devices;
  const auto platforms = IdsOf<cl_platform_id>(api.GetPlatformIDs);
  for (const cl_platform_id platform : platforms) {
    const auto ids = IdsOf<cl_device_id>([&](auto... args) {
      return api.GetDeviceIDs(platform, kDeviceTypeAll, args...);
    });
    for (const cl_device_id id : ids) {
      devices.push_back(InfoOf(api, platform, id));
    }
  }
  return devices;
}

const std::vector<DeviceInfo>& AllDevices() {
  // Never destroyed: a driver may be gone before static objects are.
  static const auto* const devices = new std::vector<DeviceInfo>(
      LoadApi() != nullptr ? ListDevices(*LoadApi())
                           : std::vector<DeviceInfo>());
  return *devices;
}

std::vector<DeviceInfo> UsableDevices(std::span<const DeviceInfo> devices) {
  std::vector<DeviceInfo> usable;
  std::ranges::copy_if(devices, std::back_inserter(usable),
                       [](const DeviceInfo& of) { return of.lack.empty(); });
  const auto is_gpu = [](const DeviceInfo& of) { return of.is_gpu; };
  if (std::ranges::any_of(usable, is_gpu)) {
    std::erase_if(usable, std::not_fn(is_gpu));
  }
  return usable;
}

const DeviceInfo* BestDevice() {
  static const auto* const usable =
      new std::vector<DeviceInfo>(UsableDevices(AllDevices()));
  return usable->empty() ? nullptr : &usable->front();
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
  const intptr_t properties[] = {kContextPlatform,
                                 reinterpret_cast<intptr_t>(info.platform), 0};
  device->context_ = {
      api.CreateContext(properties, 1, &info.id, nullptr, nullptr, &code),
      {api.ReleaseContext}};
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
  cl_int code = kSuccess;
  const char* text = source_;
  program_ = {
      api_->CreateProgramWithSource(context_.get(), 1, &text, nullptr, &code),
      {api_->ReleaseProgram}};
  if (code == kSuccess) {
    const std::string all =
        std::string(kBuildOptions) +
        (info_.rounds_correctly ? kRoundCorrectly : kDivideIntegers) + options;
    code = api_->BuildProgram(program_.get(), 1, &info_.id, all.c_str(),
                              nullptr, nullptr);
  }
  if (code == kSuccess) return true;
  log = CodeText(code);
  size_t size = 0;
  if (program_ != nullptr &&
      api_->GetProgramBuildInfo(program_.get(), info_.id, kProgramBuildLog, 0,
                                nullptr, &size) == kSuccess &&
      size > 1) {
    std::string full(size, '\0');
    api_->GetProgramBuildInfo(program_.get(), info_.id, kProgramBuildLog, size,
                              full.data(), nullptr);
    log = full.substr(0, std::min<size_t>(full.find('\0'), 500));
  }
  return false;
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
    memory = api_->CreateBuffer(context_.get(), flags,
                                static_cast<size_t>(size_bytes),
                                const_cast<void*>(data), &code);
  }
  if (code != kSuccess) {
    used_bytes_ -= size_bytes;
    return Error{ErrorCode::kMemory,
                 "OpenCL device '" + info_.name + "': " + CodeText(code) +
                     " (" + std::to_string(size_bytes) + " bytes)"};
  }
  return Buffer(*api_, memory, size_bytes, used_bytes_);
}

Result<std::unique_ptr<Queue>> Queue::Open(const Device& device) {
  std::unique_ptr<Queue> queue(new Queue(device));
  cl_int code = kSuccess;
  const Api& api = device.api();
  queue->queue_ = {
      api.CreateCommandQueue(device.context_.get(), device.info().id, 0, &code),
      {api.ReleaseCommandQueue}};
  queue->Note(code, "a queue");
  if (code != kSuccess) return queue->Finish().error();
  return queue;
}

Queue::~Queue() {
  // Nothing writes into memory that is gone.
  if (queue_ != nullptr) api_.Finish(queue_.get());
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
    kernels_[i] = {
        api_.CreateKernel(device_.program_.get(), kKernelNames[i], &code),
        {api_.ReleaseKernel}};
  }
  if (code == kSuccess) {
    code = api_.SetKernelArg(kernels_[i].get(), idx, size, value);
  }
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
  Note(api_.EnqueueNDRangeKernel(queue_.get(), kernels_[i].get(), 2, nullptr,
                                 global.data(), local.data(), 0, nullptr,
                                 nullptr),
       kKernelNames[i]);
}

void Queue::Write(const Buffer& to, size_t offset_bytes, const void* data,
                  size_t size_bytes) {
  if (failure_ != kSuccess || size_bytes == 0) return;
  Note(api_.EnqueueWriteBuffer(queue_.get(), to.memory(), kTrue, offset_bytes,
                               size_bytes, data, 0, nullptr, nullptr),
       "writing");
}

void Queue::Copy(const Buffer& from, const Buffer& to, size_t size_bytes) {
  if (failure_ != kSuccess || size_bytes == 0) return;
  Note(api_.EnqueueCopyBuffer(queue_.get(), from.memory(), to.memory(), 0, 0,
                              size_bytes, 0, nullptr, nullptr),
       "copying");
}

void Queue::Read(const Buffer& from, size_t offset_bytes, size_t size_bytes,
                 void* data) {
  if (failure_ != kSuccess || size_bytes == 0) return;
  Note(api_.EnqueueReadBuffer(queue_.get(), from.memory(), 0, offset_bytes,
                              size_bytes, data, 0, nullptr, nullptr),
       "reading");
}

Status Queue::Finish() {
  if (queue_ != nullptr) Note(api_.Finish(queue_.get()), "waiting");
  if (failure_ == kSuccess) return OkStatus();
  return Error{ErrorCode::kIo, "OpenCL device '" + device_.info().name +
                                   "': " + failed_ + ": " + CodeText(failure_)};
}

}  // namespace llma::opencl
