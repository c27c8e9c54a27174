// SPDX-License-Identifier: Apache-2.0
// The forward pass of docs/NUMERICS.md for many rows, in OpenCL C 1.2: each
// operation on floats is one of IEEE binary32, in the order that is given
// there. What is fused, flushed or rounded otherwise is found by the self-check
// (self_check.cc). Quotients and roots are in division.cl, which stands before;
// products of matrices in matrices.cl and tiles.cl, attention in attention.cl,
// which follow.
//
// Layouts of weights, keys and values are those of LinearWeights and KvCache:
// 64 bytes are 16 rows or positions times 4 columns.

#define GROUP 64   // columns that share a scale, tokens that share a block sum
#define ITEMS 64   // of a work-group, where they share local memory
#define SINKS 4
#define PANEL 16
#define MAX_HEAD_DIM 256

#define SMALLEST_MAGNITUDE 0x1p-60f
#define LOG2E 0x1.715476p+0f
#define MASKED -0x1p+120f

// One row of a pass: RowInfo of device_pass.h.
typedef struct {
  ulong position;        // in the text
  ulong cache_position;  // in the cache
  ulong first_slot;      // of its stream
  ulong tree_begin;      // the ring's index where the tree begins
  uint first_head;       // of its session, in all layers
  uint token;
  uint ancestors;  // of a tree: bit i: it follows position i of it, or is it
  uint depth;
  uint tree_row;   // of the pass, where the tree begins
  uint tree_size;  // its positions; 0: there is none
} Row;

// A head of keys and values in a layer: HeadInfo of key_values.h.
typedef struct {
  uint window;
  uint num_slots;   // sinks' panel and ring
  uint first_slot;  // of the stream's
  uint keeps_sinks;
} Head;

// Positions of a tree that stay, one after the other: MoveInfo of
// key_values.h.
typedef struct {
  ulong first_slot;  // of its stream
  ulong begin;       // the tree's first position
  uint first_head;
  uint count;
  uint kept[16];  // ascending, from `begin` on
} Move;

// acc + the product of four signed bytes each.
#if defined(LLMA_DOT_PTX)
int dot4(int a, int b, int acc) {
  int sum;
  asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(b), "r"(acc));
  return sum;
}
#elif defined(LLMA_DOT_KHR)
#pragma OPENCL EXTENSION cl_khr_integer_dot_product : enable
int dot4(int a, int b, int acc) {
  return acc + dot_4x8packed_ss_int(as_uint(a), as_uint(b));
}
#else
int dot4(int a, int b, int acc) {
  const char4 x = as_char4(a), y = as_char4(b);
  return acc + x.x * y.x + x.y * y.y + x.z * y.z + x.w * y.w;
}
#endif

float round_even(float x) { return (x + 0x1.8p+23f) - 0x1.8p+23f; }

// 2^t for t <= 0.
float exp2n(float t) {
  if (t < -126.0f) return 0.0f;
  const float n = round_even(t);
  const float f = t - n;
  float p = 0x1.3a02a8p-7f;
  p = p * f + 0x1.c9fc4p-5f;
  p = p * f + 0x1.ec0378p-3f;
  p = p * f + 0x1.62e12cp-1f;
  p = p * f + 1.0f;
  const int bits = as_int(p) + (int)n * (1 << 23);
  return bits < (1 << 23) ? 0.0f : as_float(bits);
}

float soft_cap(float x, float cap, float factor) {
  const float e = exp2n(-(fabs(x) * factor));
  const float capped = cap * quotient(1.0f - e, 1.0f + e);
  return x >= 0.0f ? capped : -capped;
}

long sine_of_quarter_turn(long z) {
  const long z2 = (z * z) >> 30;
  long sum = 61;
  sum = 3864 - ((sum * z2) >> 30);
  sum = 172272 - ((sum * z2) >> 30);
  sum = 5026995 - ((sum * z2) >> 30);
  sum = 85569306 - ((sum * z2) >> 30);
  sum = 693598668 - ((sum * z2) >> 30);
  sum = 1686629713 - ((sum * z2) >> 30);
  const long s = (sum * z + (1 << 29)) >> 30;
  return s < (1 << 30) ? s : (1 << 30);
}

// Index of W[row, col] in panels.
ulong panel_idx(ulong row, uint col, uint num_cols) {
  return row / PANEL * PANEL * num_cols + (ulong)(col / 4 * 4 * PANEL) +
         row % PANEL * 4 + col % 4;
}

// The largest of a value of each item, for all of them.
float largest_of_all(float value, local float* scratch) {
  const uint item = get_local_id(0);
  scratch[item] = value;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint half_size = ITEMS / 2; half_size > 0; half_size /= 2) {
    if (item < half_size) {
      scratch[item] = fmax(scratch[item], scratch[item + half_size]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const float largest = scratch[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return largest;
}

int sum_of_all(int value, local int* scratch) {
  const uint item = get_local_id(0);
  scratch[item] = value;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint half_size = ITEMS / 2; half_size > 0; half_size /= 2) {
    if (item < half_size) scratch[item] += scratch[item + half_size];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const int sum = scratch[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return sum;
}

// Of 16 interleaved sums of squares, what RmsNorm multiplies by.
float inverse_of_sums(local float* sums, uint size, float eps) {
  const uint item = get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint half_size = 8; half_size > 0; half_size /= 2) {
    if (item < half_size) sums[item] += sums[item + half_size];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const float mean = quotient(sums[0], (float)size);
  barrier(CLK_LOCAL_MEM_FENCE);
  return quotient(1.0f, root(mean + eps));
}

float inverse_rms(global const float* x, uint size, float eps,
                  local float* sums) {
  const uint item = get_local_id(0);
  if (item < 16) {
    float sum = 0.0f;
    for (uint i = item; i < size; i += 16) sum += x[i] * x[i];
    sums[item] = sum;
  }
  return inverse_of_sums(sums, size, eps);
}

// x: [row, dim] = the tokens' embeddings. Items: [dim, rows].
kernel void embed(global const char* values, global const float* scales,
                  global const Row* rows, uint dim, float scale,
                  global float* x) {
  const uint col = get_global_id(0), row = get_global_id(1);
  const ulong token = rows[row].token;
  const float value =
      (float)values[panel_idx(token, col, dim)] *
      scales[(token / PANEL * (dim / GROUP) + col / GROUP) * PANEL +
             token % PANEL];
  x[(ulong)row * dim + col] = value * scale;
}

// cos and sin of each pair: [row, cos | sin, pairs]. Items: [pairs, rows].
kernel void rope(global const ulong* steps, global const Row* rows,
                 global float* table) {
  const uint pair = get_global_id(0), row = get_global_id(1);
  const uint pairs = get_global_size(0);
  const uint turns = (uint)((steps[pair] * rows[row].position) >> 32);
  const long z = turns & ((1 << 30) - 1);
  const int s = (int)sine_of_quarter_turn(z);
  const int c = (int)sine_of_quarter_turn((1 << 30) - z);
  const uint quarter = turns >> 30;
  const int is_swapped = quarter & 1;
  const int magnitude_c = is_swapped ? s : c, magnitude_s = is_swapped ? c : s;
  const int cosine = quarter == 1 || quarter == 2 ? -magnitude_c : magnitude_c;
  const int sine = quarter >= 2 ? -magnitude_s : magnitude_s;
  global float* to = table + (ulong)row * 2 * pairs;
  to[pair] = (float)cosine * 0x1p-30f;
  to[pairs + pair] = (float)sine * 0x1p-30f;
}

// x += [RmsNorm](delta), then Quantise(RmsNorm(x)). A group of items a row.
//   flags: 1: there is a delta; 2: it is normed
kernel void norm(global float* x, global const float* delta,
                 global const float* delta_weight, global const float* weight,
                 uint dim, float eps, uint flags, global char* values,
                 global float* scales) {
  local float sums[ITEMS];
  const uint item = get_local_id(0);
  const ulong row = get_group_id(0);
  x += row * dim;
  if (flags & 1) {
    delta += row * dim;
    if (flags & 2) {
      const float inverse = inverse_rms(delta, dim, eps, sums);
      for (uint i = item; i < dim; i += ITEMS) {
        x[i] += (delta[i] * inverse) * delta_weight[i];
      }
    } else {
      for (uint i = item; i < dim; i += ITEMS) x[i] += delta[i];
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
  const float inverse = inverse_rms(x, dim, eps, sums);
  for (uint group = item; group < dim / GROUP; group += ITEMS) {
    global const float* in = x + group * GROUP;
    global const float* by = weight + group * GROUP;
    global char* out = values + row * dim + group * GROUP;
    float largest = 0.0f;
    for (uint i = 0; i < GROUP; ++i) {
      largest = fmax(largest, fabs((in[i] * inverse) * by[i]));
    }
    const int is_zero = largest < SMALLEST_MAGNITUDE;
    scales[row * (dim / GROUP) + group] =
        is_zero ? 0.0f : quotient(largest, 127.0f);
    const float factor = is_zero ? 0.0f : quotient(127.0f, largest);
    for (uint i = 0; i < GROUP; ++i) {
      out[i] = (char)(int)round_even(((in[i] * inverse) * by[i]) * factor);
    }
  }
}

// Quantise(x), x: [row, cols]. Items: [groups, rows].
kernel void quantize(global const float* x, uint cols, global char* values,
                     global float* scales) {
  const uint group = get_global_id(0);
  const ulong row = get_global_id(1);
  global const float* in = x + row * cols + group * GROUP;
  global char* out = values + row * cols + group * GROUP;
  float largest = 0.0f;
  for (uint i = 0; i < GROUP; ++i) largest = fmax(largest, fabs(in[i]));
  const int is_zero = largest < SMALLEST_MAGNITUDE;
  scales[row * (cols / GROUP) + group] =
      is_zero ? 0.0f : quotient(largest, 127.0f);
  const float factor = is_zero ? 0.0f : quotient(127.0f, largest);
  for (uint i = 0; i < GROUP; ++i) {
    out[i] = (char)(int)round_even(in[i] * factor);
  }
}

// Slot of a position of the stream that begins at first_slot.
ulong slot_of(Head head, ulong first_slot, ulong position) {
  const ulong slot =
      position < SINKS
          ? position
          : PANEL + (position - SINKS) % (head.num_slots - PANEL);
  return first_slot + head.first_slot + slot;
}

ulong value_idx(ulong slot, uint dim, uint head_dim) {
  return slot / 4 * 4 * head_dim + dim * 4 + slot % 4;
}

// out = in, rotated.
void rotate_head(local const float* in, global const float* table,
                 uint head_dim, local float* out) {
  const uint pairs = head_dim / 2;
  for (uint i = get_local_id(0); i < pairs; i += ITEMS) {
    const float a = in[i], b = in[i + pairs];
    const float c = table[i], s = table[pairs + i];
    out[i] = a * c - b * s;
    out[i + pairs] = b * c + a * s;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

float largest_magnitude(local const float* x, uint size, local float* scratch) {
  float largest = 0.0f;
  for (uint i = get_local_id(0); i < size; i += ITEMS) {
    largest = fmax(largest, fabs(x[i]));
  }
  return largest_of_all(largest, scratch);
}

// Bias, norm, RoPE of each head; queries are quantised, keys and values stored.
// A group of items for each head (queries, keys, values) and row.
//   ropes: [row, 2, head_dim / 2]
//   kv_heads: [session, layer, KV head], layer_head: the layer's first one
//   sink_ropes: of these, [2, head_dim / 2]
//   flags: 1: bias; 2: norms; 4: keys of 15 bits
kernel void heads(global const float* qkv, uint qkv_stride,
                  global const float* bias, global const float* q_norm,
                  global const float* k_norm, global const float* ropes,
                  global const float* sink_ropes, global const Row* rows,
                  global const Head* kv_heads, uint num_heads,
                  uint num_kv_heads, uint head_dim, float eps, float factor,
                  uint flags, uint layer_head, global char* q,
                  global float* q_scales, global char* sink_q,
                  global float* sink_q_scales, global char* keys,
                  global char* low_keys, global char* kv_values,
                  global float2* kv_scales) {
  local float in[MAX_HEAD_DIM], rotated[MAX_HEAD_DIM], scratch[ITEMS];
  const uint item = get_local_id(0);
  const uint head = get_group_id(0);
  const ulong row = get_group_id(1);
  const Row at = rows[row];
  kv_heads += at.first_head + layer_head;
  sink_ropes += (ulong)(at.first_head + layer_head) * head_dim;
  const int is_query = head < num_heads;
  const int is_value = head >= num_heads + num_kv_heads;
  qkv += row * qkv_stride + (ulong)head * head_dim;
  for (uint i = item; i < head_dim; i += ITEMS) {
    float value = qkv[i];
    if (flags & 1) value += bias[head * head_dim + i];
    in[i] = value;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if ((flags & 2) && !is_value) {
    if (item < 16) {
      float sum = 0.0f;
      for (uint i = item; i < head_dim; i += 16) sum += in[i] * in[i];
      scratch[item] = sum;
    }
    const float inverse = inverse_of_sums(scratch, head_dim, eps);
    global const float* weight = is_query ? q_norm : k_norm;
    for (uint i = item; i < head_dim; i += ITEMS) {
      in[i] = (in[i] * inverse) * weight[i];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (is_value) {
    const Head kv = kv_heads[head - num_heads - num_kv_heads];
    const ulong slot = slot_of(kv, at.first_slot, at.cache_position);
    const float largest = largest_magnitude(in, head_dim, scratch);
    const int is_zero = largest < SMALLEST_MAGNITUDE;
    const float by = is_zero ? 0.0f : quotient(127.0f, largest);
    for (uint i = item; i < head_dim; i += ITEMS) {
      kv_values[value_idx(slot, i, head_dim)] =
          (char)(int)round_even(in[i] * by);
    }
    if (item == 0) {
      kv_scales[slot].y = is_zero ? 0.0f : quotient(largest, 127.0f);
    }
    return;
  }
  global const float* table = ropes + row * head_dim;
  rotate_head(in, table, head_dim, rotated);
  float largest = largest_magnitude(rotated, head_dim, scratch);
  int is_zero = largest < SMALLEST_MAGNITUDE;
  if (!is_query) {
    const Head kv = kv_heads[head - num_heads];
    const ulong slot = slot_of(kv, at.first_slot, at.cache_position);
    const int is_wide = (flags & 4) != 0;
    const float most = is_wide ? 16319.0f : 127.0f;
    const float by = is_zero ? 0.0f : quotient(most, largest);
    for (uint i = item; i < head_dim; i += ITEMS) {
      const int value = (int)round_even(rotated[i] * by);
      const ulong idx = panel_idx(slot, i, head_dim);
      const int high = is_wide ? (value + 64) >> 7 : value;
      keys[idx] = (char)high;
      if (is_wide) low_keys[idx] = (char)(value - 128 * high);
    }
    if (item == 0) kv_scales[slot].x = is_zero ? 0.0f : quotient(largest, most);
    return;
  }
  const uint kv_head = head / (num_heads / num_kv_heads);
  const ulong query = row * num_heads + head;
  float by = is_zero ? 0.0f : quotient(127.0f, largest);
  for (uint i = item; i < head_dim; i += ITEMS) {
    q[query * head_dim + i] = (char)(int)round_even(rotated[i] * by);
  }
  if (item == 0) {
    q_scales[query] = (is_zero ? 0.0f : quotient(largest, 127.0f)) * factor;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  // The sinks stay just outside the window.
  const uint window = kv_heads[kv_head].window;
  const int is_near = at.position <= (ulong)window + SINKS - 1;
  rotate_head(in, is_near ? table : sink_ropes + kv_head * head_dim, head_dim,
              rotated);
  largest = largest_magnitude(rotated, head_dim, scratch);
  is_zero = largest < SMALLEST_MAGNITUDE;
  by = is_zero ? 0.0f : quotient(127.0f, largest);
  for (uint i = item; i < head_dim; i += ITEMS) {
    sink_q[query * head_dim + i] = (char)(int)round_even(rotated[i] * by);
  }
  if (item == 0) {
    sink_q_scales[query] =
        (is_zero ? 0.0f : quotient(largest, 127.0f)) * factor;
  }
}

// Quantise(Gate(g, u)), g and u side by side. A group of items for each group
// of columns and row.
kernel void gate(global const float* gate_up, uint stride, uint ffn_dim,
                 uint is_gelu, global char* values, global float* scales) {
  local float scratch[ITEMS];
  const uint item = get_local_id(0), group = get_group_id(0);
  const ulong row = get_group_id(1);
  const uint col = group * GROUP + item;
  const float g = gate_up[row * stride + col];
  const float u = gate_up[row * stride + ffn_dim + col];
  float t = fabs(g) * LOG2E;
  if (is_gelu) {
    const float a = fmin(fabs(g), 16.0f);
    t = a * (0x1.26aec2p+1f + 0x1.a5a7dp-4f * (a * a));
  }
  const float e = exp2n(-t);
  const float numerator = g >= 0.0f ? g : g * e;
  const float product = quotient(numerator, 1.0f + e) * u;
  const float gated = fmin(fmax(product, -0x1p+20f), 0x1p+20f);
  const float largest = largest_of_all(fabs(gated), scratch);
  const int is_zero = largest < SMALLEST_MAGNITUDE;
  const float factor = is_zero ? 0.0f : quotient(127.0f, largest);
  values[row * ffn_dim + col] = (char)(int)round_even(gated * factor);
  if (item == 0) {
    scales[row * (ffn_dim / GROUP) + group] =
        is_zero ? 0.0f : quotient(largest, 127.0f);
  }
}

// The largest logit of each row, which are capped first if cap is not 0. A
// group of items a row.
kernel void largest_logit(global float* logits, uint stride, uint num_tokens,
                          float cap, float cap_factor, global float* largest) {
  local float scratch[ITEMS];
  const ulong row = get_group_id(0);
  logits += row * stride;
  float most = MASKED;
  for (uint i = get_local_id(0); i < num_tokens; i += ITEMS) {
    float logit = logits[i];
    if (cap != 0.0f) {
      logit = soft_cap(logit, cap, cap_factor);
      logits[i] = logit;
    }
    most = fmax(most, logit);
  }
  most = largest_of_all(most, scratch);
  if (get_local_id(0) == 0) largest[row] = most;
}

// Weights in place of logits, and their sums by blocks. A group of items for
// each block and row.
kernel void token_weights(global float* logits, uint stride, uint num_tokens,
                          global const float* largest, global uint* weights,
                          global ulong* block_sums) {
  local ulong sums[ITEMS];
  const uint item = get_local_id(0), block = get_group_id(0);
  const ulong row = get_group_id(1);
  const uint token = block * GROUP + item;
  uint weight = 0;
  if (token < num_tokens) {
    const float p =
        exp2n((logits[row * stride + token] - largest[row]) * LOG2E);
    weight = 1 + (uint)(p * 0x1p+30f);
    weights[row * stride + token] = weight;
  }
  sums[item] = weight;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint half_size = ITEMS / 2; half_size > 0; half_size /= 2) {
    if (item < half_size) sums[item] += sums[item + half_size];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (item == 0) block_sums[row * get_num_groups(0) + block] = sums[0];
}

// Block sums become sums of all blocks before: [row, num_blocks + 1]. An item a
// row.
kernel void add_up(global const ulong* block_sums, uint num_blocks,
                   global ulong* sums_before) {
  const ulong row = get_global_id(0);
  block_sums += row * num_blocks;
  sums_before += row * (num_blocks + 1);
  ulong sum = 0;
  for (uint i = 0; i < num_blocks; ++i) {
    sums_before[i] = sum;
    sum += block_sums[i];
  }
  sums_before[num_blocks] = sum;
}

ulong sum_before(global const uint* weights, global const ulong* sums_before,
                 uint token) {
  ulong sum = sums_before[token / GROUP];
  for (uint i = token / GROUP * GROUP; i < token; ++i) sum += weights[i];
  return sum;
}

// Probabilities of decisions: Decision of opencl_engine.cc, the mass of [x, y)
// in that of [z, w). An item each of those from `first` up to `end`; rows count
// from the first that has weights now.
kernel void decide(global const uint4* decisions, global const uint* rows,
                   uint first, uint end, global const uint* weights,
                   uint stride,
                   global const ulong* sums_before, uint num_blocks,
                   global uint* probabilities) {
  const uint idx = first + get_global_id(0);
  if (idx >= end) return;
  const uint4 of = decisions[idx];
  weights += (ulong)rows[idx] * stride;
  sums_before += (ulong)rows[idx] * (num_blocks + 1);
  const ulong part = sum_before(weights, sums_before, of.y) -
                     sum_before(weights, sums_before, of.x);
  const ulong whole = sum_before(weights, sums_before, of.w) -
                      sum_before(weights, sums_before, of.z);
  uint probability = part == 0 ? 0 : 1u << 24;
  if (part != 0 && part != whole) {
    const int bits = 64 - (int)clz(whole);
    const int shift = max(0, bits - 40);
    const ulong quotient = ((part >> shift) << 24) / (whole >> shift);
    probability = (uint)clamp(quotient, (ulong)1, (ulong)((1 << 24) - 1));
  }
  probabilities[idx] = probability;
}

// One dimension of a position, which another gets.
void copy_position(global char* keys, global char* low_keys,
                   global char* kv_values, global float2* kv_scales, ulong to,
                   global const char* from_keys,
                   global const char* from_low_keys,
                   global const char* from_values,
                   global const float2* from_scales, ulong from, uint is_wide,
                   uint dim, uint head_dim) {
  const ulong to_key = panel_idx(to, dim, head_dim);
  const ulong from_key = panel_idx(from, dim, head_dim);
  keys[to_key] = from_keys[from_key];
  if (is_wide) low_keys[to_key] = from_low_keys[from_key];
  kv_values[value_idx(to, dim, head_dim)] =
      from_values[value_idx(from, dim, head_dim)];
  if (dim == 0) kv_scales[to] = from_scales[from];
}

// A stream starts as another one, which has `end` positions; of all that can be
// seen from there on. Items: [head_dim, heads of all layers].
kernel void copy_stream(global char* keys, global char* low_keys,
                        global char* kv_values, global float2* kv_scales,
                        global const Head* heads, uint first_head,
                        ulong first_slot, global const char* from_keys,
                        global const char* from_low_keys,
                        global const char* from_values,
                        global const float2* from_scales,
                        global const Head* from_heads, uint from_first_head,
                        ulong from_first_slot, uint is_wide, ulong end) {
  const uint dim = get_global_id(0), head_dim = get_global_size(0);
  const Head to_head = heads[first_head + get_global_id(1)];
  const Head from_head = from_heads[from_first_head + get_global_id(1)];
  const ulong seen = min((ulong)from_head.window - 1, end);
  const ulong sinks = min((ulong)SINKS, end);
  const ulong begin = max(sinks, end - seen);
  for (ulong i = 0; i < sinks + end - begin; ++i) {
    const ulong position = i < sinks ? i : begin + i - sinks;
    copy_position(keys, low_keys, kv_values, kv_scales,
                  slot_of(to_head, first_slot, position), from_keys,
                  from_low_keys, from_values, from_scales,
                  slot_of(from_head, from_first_slot, position), is_wide, dim,
                  head_dim);
  }
}

// Items: [head_dim, heads of all layers * moves].
kernel void move_positions(global char* keys, global char* low_keys,
                           global char* kv_values, global float2* kv_scales,
                           global const Head* heads, uint num_heads,
                           uint is_wide, global const Move* moves) {
  const uint dim = get_global_id(0), head_dim = get_global_size(0);
  global const Move* move = moves + get_global_id(1) / num_heads;
  const Head head = heads[move->first_head + get_global_id(1) % num_heads];
  for (uint i = 0; i < move->count; ++i) {
    if (move->kept[i] == i) continue;
    copy_position(keys, low_keys, kv_values, kv_scales,
                  slot_of(head, move->first_slot, move->begin + i), keys,
                  low_keys, kv_values, kv_scales,
                  slot_of(head, move->first_slot, move->begin + move->kept[i]),
                  is_wide, dim, head_dim);
  }
}

// Single operations, for the self-check: of each pair of floats, [OPERATIONS].
#define OPERATIONS 10
kernel void operate(global const float* a, global const float* b,
                    global const float* c, global uint* results) {
  const uint i = get_global_id(0);
  const float x = a[i], y = b[i], z = c[i];
  results += i * OPERATIONS;
  results[0] = as_uint(x * y + z);
  results[1] = as_uint((x * y) * z);
  results[2] = as_uint(quotient(x, y));
  results[3] = as_uint(root(fabs(x)));
  results[4] = as_uint(quotient(1.0f, root(fabs(x) + 0x1p-20f)));
  results[5] = as_uint((float)as_int(x));
  results[6] = as_uint(exp2n(-fabs(x)));
  results[7] = as_uint(soft_cap(x, 30.0f, fabs(y)));
  results[8] = (uint)dot4(as_int(x), as_int(y), as_int(z) >> 1);
  results[9] = as_uint(x - y * z);
}
