// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernel_sets.h"
