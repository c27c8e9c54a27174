// SPDX-License-Identifier: Apache-2.0
// What is used of OpenCL 1.2, declared here, so that building needs no headers
// and running needs no library where there is none. Names, values and types are
// those of the specification.
#ifndef LLMA_ENGINE_OPENCL_OPENCL_API_H_
#define LLMA_ENGINE_OPENCL_OPENCL_API_H_

#include <cstddef>
#include <cstdint>

#if defined(_WIN32)
#define LLMA_CL_CALL __stdcall
#else
#define LLMA_CL_CALL
#endif

namespace llma::opencl {

using cl_int = int32_t;
using cl_uint = uint32_t;
using cl_ulong = uint64_t;
using cl_bitfield = uint64_t;
using cl_platform_id = struct ClPlatform*;
using cl_device_id = struct ClDevice*;
using cl_context = struct ClContext*;
using cl_command_queue = struct ClQueue*;
using cl_mem = struct ClMem*;
using cl_program = struct ClProgram*;
using cl_kernel = struct ClKernel*;
using cl_event = struct ClEvent*;

inline constexpr cl_int kSuccess = 0;
inline constexpr cl_uint kTrue = 1;
inline constexpr cl_bitfield kDeviceTypeGpu = 1 << 2;
inline constexpr cl_bitfield kDeviceTypeAccelerator = 1 << 3;
inline constexpr cl_bitfield kDeviceTypeAll = 0xffffffff;
inline constexpr cl_uint kDeviceType = 0x1000;
inline constexpr cl_uint kDeviceMaxComputeUnits = 0x1002;
inline constexpr cl_uint kDeviceMaxWorkGroupSize = 0x1004;
inline constexpr cl_uint kDeviceMaxMemAllocSize = 0x1010;
inline constexpr cl_uint kDeviceSingleFpConfig = 0x101b;
inline constexpr cl_uint kDeviceGlobalMemSize = 0x101f;
inline constexpr cl_uint kDeviceLocalMemSize = 0x1023;
inline constexpr cl_uint kDeviceEndianLittle = 0x1026;
inline constexpr cl_uint kDeviceAvailable = 0x1027;
inline constexpr cl_uint kDeviceCompilerAvailable = 0x1028;
inline constexpr cl_uint kDeviceName = 0x102b;
inline constexpr cl_uint kDeviceVendor = 0x102c;
inline constexpr cl_uint kDriverVersion = 0x102d;
inline constexpr cl_uint kDeviceVersion = 0x102f;
inline constexpr cl_uint kDeviceExtensions = 0x1030;
inline constexpr cl_bitfield kFpDenorm = 1 << 0;
inline constexpr cl_bitfield kFpRoundToNearest = 1 << 2;
inline constexpr cl_bitfield kFpCorrectlyRoundedDivideSqrt = 1 << 7;
inline constexpr cl_bitfield kMemReadWrite = 1 << 0;
inline constexpr cl_bitfield kMemReadOnly = 1 << 2;
inline constexpr cl_bitfield kMemCopyHostPtr = 1 << 5;
inline constexpr intptr_t kContextPlatform = 0x1084;
inline constexpr cl_uint kProgramBuildLog = 0x1183;

// Its functions.
struct Api {
  cl_int(LLMA_CL_CALL* GetPlatformIDs)(cl_uint, cl_platform_id*, cl_uint*);
  cl_int(LLMA_CL_CALL* GetDeviceIDs)(cl_platform_id, cl_bitfield, cl_uint,
                                     cl_device_id*, cl_uint*);
  cl_int(LLMA_CL_CALL* GetDeviceInfo)(cl_device_id, cl_uint, size_t, void*,
                                      size_t*);
  cl_context(LLMA_CL_CALL* CreateContext)(
      const intptr_t*, cl_uint, const cl_device_id*,
      void(LLMA_CL_CALL*)(const char*, const void*, size_t, void*), void*,
      cl_int*);
  cl_int(LLMA_CL_CALL* ReleaseContext)(cl_context);
  cl_command_queue(LLMA_CL_CALL* CreateCommandQueue)(cl_context, cl_device_id,
                                                     cl_bitfield, cl_int*);
  cl_int(LLMA_CL_CALL* ReleaseCommandQueue)(cl_command_queue);
  cl_mem(LLMA_CL_CALL* CreateBuffer)(cl_context, cl_bitfield, size_t, void*,
                                     cl_int*);
  cl_int(LLMA_CL_CALL* ReleaseMemObject)(cl_mem);
  cl_program(LLMA_CL_CALL* CreateProgramWithSource)(cl_context, cl_uint,
                                                    const char**, const size_t*,
                                                    cl_int*);
  cl_int(LLMA_CL_CALL* BuildProgram)(cl_program, cl_uint, const cl_device_id*,
                                     const char*,
                                     void(LLMA_CL_CALL*)(cl_program, void*),
                                     void*);
  cl_int(LLMA_CL_CALL* GetProgramBuildInfo)(cl_program, cl_device_id, cl_uint,
                                            size_t, void*, size_t*);
  cl_int(LLMA_CL_CALL* ReleaseProgram)(cl_program);
  cl_kernel(LLMA_CL_CALL* CreateKernel)(cl_program, const char*, cl_int*);
  cl_int(LLMA_CL_CALL* ReleaseKernel)(cl_kernel);
  cl_int(LLMA_CL_CALL* SetKernelArg)(cl_kernel, cl_uint, size_t, const void*);
  cl_int(LLMA_CL_CALL* EnqueueNDRangeKernel)(cl_command_queue, cl_kernel,
                                             cl_uint, const size_t*,
                                             const size_t*, const size_t*,
                                             cl_uint, const cl_event*,
                                             cl_event*);
  cl_int(LLMA_CL_CALL* EnqueueReadBuffer)(cl_command_queue, cl_mem, cl_uint,
                                          size_t, size_t, void*, cl_uint,
                                          const cl_event*, cl_event*);
  cl_int(LLMA_CL_CALL* EnqueueWriteBuffer)(cl_command_queue, cl_mem, cl_uint,
                                           size_t, size_t, const void*, cl_uint,
                                           const cl_event*, cl_event*);
  cl_int(LLMA_CL_CALL* EnqueueCopyBuffer)(cl_command_queue, cl_mem, cl_mem,
                                          size_t, size_t, size_t, cl_uint,
                                          const cl_event*, cl_event*);
  cl_int(LLMA_CL_CALL* Finish)(cl_command_queue);
};

// Null where there is no library, or one without these functions. Loaded once.
const Api* LoadApi();

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_OPENCL_API_H_
