// SPDX-License-Identifier: Apache-2.0
// Products of matrices for many rows: y = W x as in matrices.cl, with a group
// of TILE_ITEMS items for TILE rows of W and 8 * ROWS rows of x. A scale group
// of them is in local memory at a time, while the next one is on its way; an
// item has 4 rows of W and ROWS of x. This text is compiled for several ROWS,
// as the kernel MULTIPLY_TILE.

#ifndef TILE
#define TILE 64
#define TILE_ITEMS 128
#define TILE_QUADS (GROUP / 4)
#endif
#define TILE_ROWS (8 * ROWS)
// Of x, times 16 bytes that an item brings.
#define BROUGHT ((TILE_ROWS * 4 + TILE_ITEMS - 1) / TILE_ITEMS)

//   Groups: [rows of W / TILE, rows of x / TILE_ROWS].
kernel void MULTIPLY_TILE(global const int4* w, global const float4* w_scales,
                          uint num_w_rows, uint num_groups,
                          global const int4* x, global const float* x_scales,
                          uint x_row, uint num_rows, global float* y,
                          uint stride) {
  local int4 w_tile[TILE_QUADS * TILE / 4];       // [quad, row of W]
  local int2 x_tile[TILE_QUADS * TILE_ROWS / 2];  // [quad, row of x]
  const uint item = get_local_id(0);
  const uint first_panel = get_group_id(0) * (TILE / PANEL);
  const uint last_panel = (num_w_rows + PANEL - 1) / PANEL - 1;
  const uint first = get_group_id(1) * TILE_ROWS;
  const uint own_w = item % 16 * 4, own_x = item / 16 * ROWS;
  const ulong own_panel = min(first_panel + own_w / PANEL, last_panel);
  ulong rows[ROWS];
  float4 sums[ROWS];
#pragma unroll
  for (uint i = 0; i < ROWS; ++i) {
    rows[i] =
        (ulong)(x_row + min(first + own_x + i, num_rows - 1)) * num_groups;
    sums[i] = 0.0f;
  }
  // The groups before the one that comes are computed.
  for (uint g = 0; g <= num_groups; ++g) {
    const uint coming = min(g, num_groups - 1);
    int4 next_w[2], next_x[BROUGHT];
#pragma unroll
    for (uint k = 0; k < 2; ++k) {
      // Of each panel 16 quads of 16 rows follow each other.
      const uint i = item + k * TILE_ITEMS;
      const ulong panel = min(first_panel + i / TILE, last_panel);
      next_w[k] = w[(panel * num_groups + coming) * TILE + i % TILE];
    }
#pragma unroll
    for (uint k = 0; k < BROUGHT; ++k) {
      const uint i = item + k * TILE_ITEMS;
      const uint row = min(first + i % TILE_ROWS, num_rows - 1);
      next_x[k] = x[((ulong)(x_row + row) * num_groups + coming) * 4 +
                    min(i / TILE_ROWS, 3u)];
    }
    if (g > 0) {
      int4 dots[ROWS];
#pragma unroll
      for (uint i = 0; i < ROWS; ++i) dots[i] = 0;
      for (uint quad = 0; quad < TILE_QUADS; ++quad) {
        const int4 by = w_tile[(quad * TILE + own_w) / 4];
        local const int2* of = x_tile + (quad * TILE_ROWS + own_x) / 2;
#pragma unroll
        for (uint i = 0; i < ROWS / 2; ++i) {
          const int2 two = of[i];
          dots[2 * i].x = dot4(by.x, two.x, dots[2 * i].x);
          dots[2 * i].y = dot4(by.y, two.x, dots[2 * i].y);
          dots[2 * i].z = dot4(by.z, two.x, dots[2 * i].z);
          dots[2 * i].w = dot4(by.w, two.x, dots[2 * i].w);
          dots[2 * i + 1].x = dot4(by.x, two.y, dots[2 * i + 1].x);
          dots[2 * i + 1].y = dot4(by.y, two.y, dots[2 * i + 1].y);
          dots[2 * i + 1].z = dot4(by.z, two.y, dots[2 * i + 1].z);
          dots[2 * i + 1].w = dot4(by.w, two.y, dots[2 * i + 1].w);
        }
      }
      const float4 w_scale =
          w_scales[(own_panel * num_groups + g - 1) * 4 + own_w % PANEL / 4];
#pragma unroll
      for (uint i = 0; i < ROWS; ++i) {
        sums[i] += (convert_float4(dots[i]) * w_scale) *
                   x_scales[rows[i] + g - 1];
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (uint k = 0; k < 2; ++k) {
      const uint i = item + k * TILE_ITEMS;
      w_tile[i % TILE / 4 * (TILE / 4) + i / TILE * 4 + i % 4] = next_w[k];
    }
#pragma unroll
    for (uint k = 0; k < BROUGHT; ++k) {
      const uint i = item + k * TILE_ITEMS;
      if (i >= TILE_ROWS * 4) continue;
      local int* to =
          (local int*)x_tile + i / TILE_ROWS * 4 * TILE_ROWS + i % TILE_ROWS;
      to[0] = next_x[k].x;
      to[TILE_ROWS] = next_x[k].y;
      to[2 * TILE_ROWS] = next_x[k].z;
      to[3 * TILE_ROWS] = next_x[k].w;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const uint w_row = first_panel * PANEL + own_w;
#pragma unroll
  for (uint i = 0; i < ROWS; ++i) {
    if (first + own_x + i >= num_rows) continue;
    global float* to = y + (ulong)(first + own_x + i) * stride + w_row;
    if (w_row < num_w_rows) to[0] = sums[i].x;
    if (w_row + 1 < num_w_rows) to[1] = sums[i].y;
    if (w_row + 2 < num_w_rows) to[2] = sums[i].z;
    if (w_row + 3 < num_w_rows) to[3] = sums[i].w;
  }
}
#undef MULTIPLY_TILE
#undef ROWS
#undef TILE_ROWS
#undef BROUGHT

