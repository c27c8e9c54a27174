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

// The same with a group of TILE_ITEMS items for TILE rows of W and TILE rows of
// x, a scale group of which is in local memory at a time; an item has 4 rows of
// W and 8 of x.
#define TILE 64
#define TILE_ITEMS 128
#define TILE_QUADS (GROUP / 4)
kernel void multiply_tile(global const int4* w, global const float4* w_scales,
                          uint num_w_rows, uint num_groups,
                          global const int4* x, global const float* x_scales,
                          uint x_row, uint num_rows, global float* y,
                          uint stride) {
  local int4 w_tile[TILE_QUADS * TILE / 4];  // [quad, row of W]
  local int x_tile[TILE_QUADS * TILE];       // [quad, row of x]
  const uint item = get_local_id(0);
  const uint first_panel = get_group_id(0) * (TILE / PANEL);
  const uint num_panels = (num_w_rows + PANEL - 1) / PANEL;
  const uint first = get_group_id(1) * TILE;
  const uint own_w = item % 16 * 4, own_x = item / 16 * 8;
  const uint own_panel = min(first_panel + own_w / PANEL, num_panels - 1);
  // What it brings of x: half a row.
  const uint brought = item % TILE, half_row = item / TILE;
  const ulong brought_row =
      (ulong)(x_row + min(first + brought, num_rows - 1)) * num_groups;
  ulong rows[8];
  float4 sums[8];
#pragma unroll
  for (uint i = 0; i < 8; ++i) {
    rows[i] =
        (ulong)(x_row + min(first + own_x + i, num_rows - 1)) * num_groups;
    sums[i] = 0.0f;
  }
  for (uint g = 0; g < num_groups; ++g) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = item; i < TILE_QUADS * TILE / 4; i += TILE_ITEMS) {
      // Of each panel 16 quads of 16 rows follow each other.
      const uint panel = i / TILE, quad = i % TILE / 4, part = i % 4;
      const ulong from = min(first_panel + panel, num_panels - 1);
      w_tile[quad * (TILE / 4) + panel * 4 + part] =
          w[(from * num_groups + g) * TILE + i % TILE];
    }
    for (uint i = 0; i < 2; ++i) {
      const uint quad = half_row * 8 + i * 4;
      const int4 quads = x[(brought_row + g) * 4 + quad / 4];
      x_tile[quad * TILE + brought] = quads.x;
      x_tile[(quad + 1) * TILE + brought] = quads.y;
      x_tile[(quad + 2) * TILE + brought] = quads.z;
      x_tile[(quad + 3) * TILE + brought] = quads.w;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    int4 dots[8];
#pragma unroll
    for (uint i = 0; i < 8; ++i) dots[i] = 0;
    for (uint quad = 0; quad < TILE_QUADS; ++quad) {
      const int4 by = w_tile[(quad * TILE + own_w) / 4];
      local const int* of = x_tile + quad * TILE + own_x;
#pragma unroll
      for (uint i = 0; i < 8; ++i) {
        dots[i].x = dot4(by.x, of[i], dots[i].x);
        dots[i].y = dot4(by.y, of[i], dots[i].y);
        dots[i].z = dot4(by.z, of[i], dots[i].z);
        dots[i].w = dot4(by.w, of[i], dots[i].w);
      }
    }
    const float4 w_scale =
        w_scales[((ulong)own_panel * num_groups + g) * 4 + own_w % PANEL / 4];
#pragma unroll
    for (uint i = 0; i < 8; ++i) {
      sums[i] += (convert_float4(dots[i]) * w_scale) * x_scales[rows[i] + g];
    }
  }
  const uint w_row = first_panel * PANEL + own_w;
#pragma unroll
  for (uint i = 0; i < 8; ++i) {
    if (first + own_x + i >= num_rows) continue;
    global float* to = y + (ulong)(first + own_x + i) * stride + w_row;
    if (w_row < num_w_rows) to[0] = sums[i].x;
    if (w_row + 1 < num_w_rows) to[1] = sums[i].y;
    if (w_row + 2 < num_w_rows) to[2] = sums[i].z;
    if (w_row + 3 < num_w_rows) to[3] = sums[i].w;
  }
}

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
