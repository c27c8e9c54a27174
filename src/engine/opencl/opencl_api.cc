// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/opencl_api.h"

#include "platform/dynamic_library.h"

namespace llma::opencl {
namespace {

#if defined(_WIN32)
constexpr const char* kLibrary = "OpenCL.dll";
#elif defined(__APPLE__)
constexpr const char* kLibrary =
    "/System/Library/Frameworks/OpenCL.framework/OpenCL";
#else
constexpr const char* kLibrary = "libOpenCL.so.1";
#endif

template <class Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(FindFunction(library, name));
  return function != nullptr;
}

const Api* Load() {
#if defined(LLMA_THREAD_SANITIZER)
  return nullptr;  // the thread sanitizer does not see what drivers do
#endif
  void* const library = LoadLibraryForEver(kLibrary);
  if (library == nullptr) return nullptr;
  static Api api;
  const bool has_all =
      Find(library, "clGetPlatformIDs", api.GetPlatformIDs) &&
      Find(library, "clGetDeviceIDs", api.GetDeviceIDs) &&
      Find(library, "clGetDeviceInfo", api.GetDeviceInfo) &&
      Find(library, "clCreateContext", api.CreateContext) &&
      Find(library, "clReleaseContext", api.ReleaseContext) &&
      Find(library, "clCreateCommandQueue", api.CreateCommandQueue) &&
      Find(library, "clReleaseCommandQueue", api.ReleaseCommandQueue) &&
      Find(library, "clCreateBuffer", api.CreateBuffer) &&
      Find(library, "clReleaseMemObject", api.ReleaseMemObject) &&
      Find(library, "clCreateProgramWithSource", api.CreateProgramWithSource) &&
      Find(library, "clBuildProgram", api.BuildProgram) &&
      Find(library, "clGetProgramBuildInfo", api.GetProgramBuildInfo) &&
      Find(library, "clReleaseProgram", api.ReleaseProgram) &&
      Find(library, "clCreateKernel", api.CreateKernel) &&
      Find(library, "clReleaseKernel", api.ReleaseKernel) &&
      Find(library, "clSetKernelArg", api.SetKernelArg) &&
      Find(library, "clEnqueueNDRangeKernel", api.EnqueueNDRangeKernel) &&
      Find(library, "clEnqueueReadBuffer", api.EnqueueReadBuffer) &&
      Find(library, "clEnqueueWriteBuffer", api.EnqueueWriteBuffer) &&
      Find(library, "clEnqueueCopyBuffer", api.EnqueueCopyBuffer) &&
      Find(library, "clFinish", api.Finish);
  return has_all ? &api : nullptr;
}

}  // namespace

const Api* LoadApi() {
  static const Api* const api = Load();
  return api;
}

}  // namespace llma::opencl
