// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernel_table.h"

#include <cstdlib>

#include "base/registry.h"
#include "kernels/kernel_sets.h"

namespace llma {
namespace {

constexpr const KernelTable* kAll[] = {
    &kernels::scalar::kTable,
#if defined(__x86_64__)
    &kernels::avx2::kTable,    &kernels::avxvnni::kEvexTable,
    &kernels::avxvnni::kTable, &kernels::avx512vnni::kTable,
    &kernels::amx::kTable,
#elif defined(__aarch64__)
    &kernels::neon_base::kTable,
    &kernels::neon::kTable,
    &kernels::neon_i8mm::kTable,
#elif defined(__wasm_simd128__)
    &kernels::wasm::kTable,
#endif
};

}  // namespace

std::span<const KernelTable* const> AllKernels() { return kAll; }

Result<const KernelTable*> FindKernels(std::string_view name) {
  return FindInRegistry(AllKernels(), name, "kernels",
                        "need a processor that has them");
}

Result<const KernelTable*> KernelsFromEnvironment() {
  const char* name = std::getenv("LLMA_KERNELS");
  return FindKernels(name == nullptr ? "" : name);
}

Result<const KernelTable*> ChooseKernels(std::string_view name) {
  return name.empty() ? KernelsFromEnvironment() : FindKernels(name);
}

const KernelTable& BestKernels() { return **FindKernels(""); }

}  // namespace llma
