// SPDX-License-Identifier: Apache-2.0
// Products of matrices, for few and many rows, GPUs and processors: they differ
// in who computes what, and in nothing else.

// y = W x, of num_rows rows of x from x_row on; R of them an item: what is read
// of W serves all of them.
//   y: [row, stride]. Items: [rows of W and some more, rows of x / R].
#define MATMUL(NAME, R)                                                     \
  kernel void NAME(global const int* w, global const float* w_scales,       \
                   uint num_w_rows, uint num_groups, global const int4* x,  \
                   global const float* x_scales, uint x_row, uint num_rows, \
                   global float* y, uint stride) {                          \
    const uint w_row = get_global_id(0);                                    \
    const uint first = get_global_id(1) * R;                                \
    if (w_row >= num_w_rows) return;                                        \
    w += (ulong)(w_row / PANEL) * num_groups * (GROUP / 4 * PANEL) +        \
         w_row % PANEL;                                                     \
    w_scales += (ulong)(w_row / PANEL) * num_groups * PANEL + w_row % PANEL; \
    ulong rows[R];                                                          \
    float sums[R];                                                          \
    for (uint i = 0; i < R; ++i) {                                          \
      rows[i] = (ulong)(x_row + min(first + i, num_rows - 1)) * num_groups; \
      sums[i] = 0.0f;                                                       \
    }                                                                       \
    for (uint g = 0; g < num_groups; ++g) {                                 \
      int dots[R];                                                          \
      for (uint i = 0; i < R; ++i) dots[i] = 0;                             \
      for (uint q = 0; q < GROUP / 16; ++q) {                               \
        global const int* quads = w + (g * (GROUP / 4) + q * 4) * PANEL;    \
        const int w0 = quads[0], w1 = quads[PANEL];                         \
        const int w2 = quads[2 * PANEL], w3 = quads[3 * PANEL];             \
        for (uint i = 0; i < R; ++i) {                                      \
          const int4 by = x[(rows[i] + g) * (GROUP / 16) + q];              \
          dots[i] = dot4(w0, by.x, dots[i]);                                \
          dots[i] = dot4(w1, by.y, dots[i]);                                \
          dots[i] = dot4(w2, by.z, dots[i]);                                \
          dots[i] = dot4(w3, by.w, dots[i]);                                \
        }                                                                   \
      }                                                                     \
      const float w_scale = w_scales[g * PANEL];                            \
      for (uint i = 0; i < R; ++i) {                                        \
        sums[i] += ((float)dots[i] * w_scale) * x_scales[rows[i] + g];      \
      }                                                                     \
    }                                                                       \
    for (uint i = 0; i < R; ++i) {                                          \
      if (first + i >= num_rows) break;                                     \
      y[(ulong)(first + i) * stride + w_row] = sums[i];                     \
    }                                                                       \
  }
MATMUL(multiply_one, 1)
MATMUL(multiply, 8)

// The same for processors, whose vectors hold a panel: an item takes 16 rows of
// W and up to R of x. Floats hold the integers of a group exactly.
float16 column(int16 quads, int shift) {
  return convert_float16((quads << (24 - shift)) >> 24);
}
#define MULTIPLY_PANEL(NAME, R)                                               \
  kernel void NAME(global const int* w, global const float* w_scales,         \
                             uint num_w_rows, uint num_groups,                \
                             global const char4* x, global const float* x_scales,\
                             uint x_row, uint num_rows, global float* y,      \
                             uint stride) {                                   \
    const uint panel = get_global_id(0);                                      \
    const uint first = get_global_id(1) * R;                                  \
    w += (ulong)panel * num_groups * (GROUP / 4 * PANEL);                     \
    w_scales += (ulong)panel * num_groups * PANEL;                            \
    ulong rows[R];                                                            \
    float16 sums[R];                                                          \
    for (uint i = 0; i < R; ++i) {                                            \
      rows[i] = (ulong)(x_row + min(first + i, num_rows - 1)) * num_groups;   \
      sums[i] = 0.0f;                                                         \
    }                                                                         \
    for (uint g = 0; g < num_groups; ++g) {                                   \
      float16 dots[R];                                                        \
      for (uint i = 0; i < R; ++i) dots[i] = 0.0f;                            \
      for (uint q = 0; q < GROUP / 4; ++q) {                                  \
        const int16 quads = vload16(g * (GROUP / 4) + q, w);                  \
        const float16 w0 = column(quads, 0), w1 = column(quads, 8);           \
        const float16 w2 = column(quads, 16), w3 = column(quads, 24);         \
        for (uint i = 0; i < R; ++i) {                                        \
          const float4 by =                                                   \
              convert_float4(x[(rows[i] + g) * (GROUP / 4) + q]);             \
          dots[i] += w0 * by.x;                                               \
          dots[i] += w1 * by.y;                                               \
          dots[i] += w2 * by.z;                                               \
          dots[i] += w3 * by.w;                                               \
        }                                                                     \
      }                                                                       \
      const float16 w_scale = vload16(g, w_scales);                           \
      for (uint i = 0; i < R; ++i) {                                          \
        sums[i] += (dots[i] * w_scale) * x_scales[rows[i] + g];               \
      }                                                                       \
    }                                                                         \
    for (uint i = 0; i < R; ++i) {                                            \
      if (first + i >= num_rows) break;                                       \
      global float* to = y + (ulong)(first + i) * stride + panel * PANEL;     \
      if ((panel + 1) * PANEL <= num_w_rows) {                                \
        vstore16(sums[i], 0, to);                                             \
      } else {                                                                \
        float values[PANEL];                                                  \
        vstore16(sums[i], 0, values);                                         \
        for (uint k = 0; panel * PANEL + k < num_w_rows; ++k) to[k] = values[k];\
      }                                                                       \
    }                                                                         \
  }
MULTIPLY_PANEL(multiply_panel_one, 1)
MULTIPLY_PANEL(multiply_panel, 4)
