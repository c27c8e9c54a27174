// SPDX-License-Identifier: Apache-2.0
// The tables that the registry lists, one file each.
#ifndef LLMA_KERNELS_KERNEL_SETS_H_
#define LLMA_KERNELS_KERNEL_SETS_H_

#include "kernels/kernel_table.h"

namespace llma::kernels {

namespace scalar {
extern const LearningKernels kLearning;
extern const KernelTable kTable;
}  // namespace scalar
namespace avx2 {
extern const KernelTable kTable;
}
namespace avxvnni {
extern const KernelTable kTable;
extern const KernelTable kEvexTable;
}  // namespace avxvnni
namespace avx512vnni {
extern const KernelTable kTable;
}
namespace amx {
extern const KernelTable kTable;
}
namespace neon_base {
extern const KernelTable kTable;
}
namespace neon {
extern const KernelTable kTable;
}
namespace neon_i8mm {
extern const KernelTable kTable;
}
namespace wasm {
extern const KernelTable kTable;
}

}  // namespace llma::kernels

#endif  // LLMA_KERNELS_KERNEL_SETS_H_
