// SPDX-License-Identifier: Apache-2.0
// o = attention: a group of items for a KV head and some rows of a stream that
// follow each other, so that what is read of its keys and values is for all of
// these rows and all query heads that share them, at most QUERIES queries. This
// text is compiled for several QUERIES, as the kernel ATTEND.
//
// Loops over QUERIES have no other end, so that arrays of them are registers.
// Places are the sinks, then the ring from a multiple of 4 on.

#ifndef SCORE_LIMIT
#define SCORE_LIMIT -32.0f  // below the largest: nothing

// What a query sees.
typedef struct {
  uint begin, end;  // entries of the ring, but for a tree's
  uint sinks_begin, sinks_end;
  uint tree_begin, tree_end;  // entries
  uint tree_row;              // of the pass
  uint ancestors, least_depth;
} Seen;

int sees(const local Seen* seen, uint entry, global const Row* rows) {
  if (entry < SINKS) {
    return entry >= seen->sinks_begin && entry < seen->sinks_end;
  }
  if (entry < seen->tree_begin) {
    return entry >= seen->begin && entry < seen->end;
  }
  if (entry >= seen->tree_end) return 0;
  const uint i = entry - seen->tree_begin;
  return (seen->ancestors >> i & 1) &&
         rows[seen->tree_row + i].depth >= seen->least_depth;
}

// Slot of a head.
uint slot_of_entry(uint entry, uint first_ring_slot, uint ring_slots) {
  if (entry < SINKS) return entry;
  uint slot = first_ring_slot + entry - SINKS;
  while (slot >= ring_slots) slot -= ring_slots;
  return PANEL + slot;
}

// values: [query, ITEMS]; [query, 0] becomes the largest of each query's.
void largest_of_queries(local float* values, uint num_queries) {
  for (uint half_size = ITEMS / 2; half_size > 0; half_size /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = get_local_id(0); i < num_queries * half_size; i += ITEMS) {
      local float* at = values + i / half_size * ITEMS + i % half_size;
      at[0] = fmax(at[0], at[half_size]);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

void sums_of_queries(local int* values, uint num_queries) {
  for (uint half_size = ITEMS / 2; half_size > 0; half_size /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = get_local_id(0); i < num_queries * half_size; i += ITEMS) {
      local int* at = values + i / half_size * ITEMS + i % half_size;
      at[0] += at[half_size];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}
#endif

//   spans: first row and number of rows of each group; first_span: of this
//   launch
//   head_parts: groups that the query heads of a KV head are divided into, of
//   part_heads, or what is left
//   layer_head: as in `heads`
//   scores: [group of the launch, QUERIES, stride]
//   out: [row, head, head_dim]
//   queries: [sinks' or not, QUERIES, head_dim]
//   Groups: [KV heads * head_parts, spans].
kernel void ATTEND(global const char* q, global const float* q_scales,
                   global const char* sink_q,
                   global const float* sink_q_scales, global const int* keys,
                   global const int* low_keys, global const int* kv_values,
                   global const float2* kv_scales, global const Row* rows,
                   global const Head* kv_heads, global const uint2* spans,
                   uint first_span, uint num_heads, uint num_kv_heads,
                   uint head_parts, uint part_heads, uint head_dim, uint flags,
                   float cap, float cap_factor, uint layer_head, uint stride,
                   global float* scores, global float* out,
                   local int4* queries) {
  local Seen seen[QUERIES];
  local uint query_of[QUERIES];  // [row, head]
  local float scales[2][QUERIES];
  local float largest[QUERIES], factors[QUERIES], out_scales[QUERIES];
  // [query, ITEMS], or bytes of weights: [query, half, ITEMS]
  local int4 shared[QUERIES * ITEMS / 4];
  local float* const floats = (local float*)shared;
  local int* const ints = (local int*)shared;
  const uint item = get_local_id(0);
  const uint2 span = spans[first_span + get_group_id(1)];
  const uint kv_head = get_group_id(0) / head_parts;
  const uint kv_queries = num_heads / num_kv_heads;
  const uint part_begin = get_group_id(0) % head_parts * part_heads;
  const uint span_heads = min(part_heads, kv_queries - part_begin);
  const uint num_queries = span.y * span_heads;
  scores += ((ulong)get_group_id(1) * get_num_groups(0) + get_group_id(0)) *
            QUERIES * stride;

  // The union of what its rows see of the ring is [origin, end).
  const Row first = rows[span.x];
  const Head kv = kv_heads[first.first_head + layer_head + kv_head];
  const ulong hidden = (ulong)SINKS + kv.window - 1;
  const int is_tree = first.tree_size != 0;
  const ulong least = is_tree ? rows[first.tree_row].position : first.position;
  const ulong last = first.position + span.y - 1;
  ulong begin = least > hidden ? least - hidden : 0;
  ulong end = last < SINKS ? begin : last - SINKS + 1;
  if (is_tree) {
    begin = min(begin, first.tree_begin);
    end = first.tree_begin + first.tree_size;
  }
  const ulong origin = begin & ~(ulong)3;
  const uint num_entries = SINKS + (uint)((end - origin + 3) & ~(ulong)3);
  const uint ring_slots = kv.num_slots - PANEL;
  const uint first_ring_slot = (uint)(origin % ring_slots);
  const ulong head_slot = first.first_slot + kv.first_slot;

  for (uint i = item; i < num_queries; i += ITEMS) {
    const uint row = span.x + i / span_heads;
    const Row at = rows[row];
    const ulong p = at.position;
    const ulong window_begin = p > hidden ? p - hidden : 0;
    Seen of;
    of.begin = SINKS + (uint)(max(window_begin, origin) - origin);
    of.end = p < SINKS ? of.begin : SINKS + (uint)(p - SINKS + 1 - origin);
    of.sinks_begin =
        !kv.keeps_sinks && p >= kv.window
            ? (uint)min(p - kv.window + 1, (ulong)SINKS)
            : 0;
    of.sinks_end = (uint)min((ulong)SINKS, p + 1);
    of.tree_begin = of.tree_end = UINT_MAX;
    of.tree_row = at.tree_row;
    of.ancestors = at.ancestors;
    of.least_depth = 0;
    if (at.tree_size != 0) {
      of.tree_begin = SINKS + (uint)(at.tree_begin - origin);
      of.tree_end = of.tree_begin + at.tree_size;
      if (window_begin > at.tree_begin) {
        of.least_depth = (uint)(window_begin - at.tree_begin);
      }
    }
    seen[i] = of;
    const uint query = row * num_heads + kv_head * kv_queries + part_begin +
                       i % span_heads;
    query_of[i] = query;
    scales[0][i] = sink_q_scales[query];
    scales[1][i] = q_scales[query];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const uint query_parts = head_dim / 16;
  for (uint i = item; i < num_queries * query_parts; i += ITEMS) {
    const ulong from =
        (ulong)query_of[i / query_parts] * query_parts + i % query_parts;
    queries[i] = ((global const int4*)sink_q)[from];
    queries[QUERIES * query_parts + i] = ((global const int4*)q)[from];
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  float most[QUERIES];
#pragma unroll
  for (uint i = 0; i < QUERIES; ++i) most[i] = MASKED;
  for (uint entry = item; entry < num_entries; entry += ITEMS) {
    const ulong slot =
        head_slot + slot_of_entry(entry, first_ring_slot, ring_slots);
    const ulong key = slot / PANEL * PANEL * (head_dim / 4) + slot % PANEL;
    const int is_ring = entry >= SINKS;
    local const int4* by = queries + is_ring * QUERIES * query_parts;
    int dots[QUERIES];
#pragma unroll
    for (uint i = 0; i < QUERIES; ++i) dots[i] = 0;
    for (uint width = 0; width < (flags & 4 ? 2 : 1); ++width) {
      global const int* from = (width == 0 ? keys : low_keys) + key;
#pragma unroll
      for (uint i = 0; i < QUERIES; ++i) dots[i] *= 128;
      for (uint part = 0; part < query_parts; ++part, from += 4 * PANEL) {
        const int4 quads = (int4)(from[0], from[PANEL], from[2 * PANEL],
                                  from[3 * PANEL]);
#pragma unroll
        for (uint i = 0; i < QUERIES; ++i) {
          if (i >= num_queries) continue;
          const int4 of = by[i * query_parts + part];
          dots[i] = dot4(of.x, quads.x, dots[i]);
          dots[i] = dot4(of.y, quads.y, dots[i]);
          dots[i] = dot4(of.z, quads.z, dots[i]);
          dots[i] = dot4(of.w, quads.w, dots[i]);
        }
      }
    }
    const float key_scale = kv_scales[slot].x;
#pragma unroll
    for (uint i = 0; i < QUERIES; ++i) {
      if (i >= num_queries) continue;
      float score = MASKED;
      if (sees(seen + i, entry, rows)) {
        score = ((float)dots[i] * key_scale) * scales[is_ring][i];
        if (cap != 0.0f) score = soft_cap(score, cap, cap_factor);
      }
      scores[i * stride + entry] = score;
      most[i] = fmax(most[i], score);
    }
  }
#pragma unroll
  for (uint i = 0; i < QUERIES; ++i) floats[i * ITEMS + item] = most[i];
  largest_of_queries(floats, num_queries);
  for (uint i = item; i < num_queries; i += ITEMS) {
    largest[i] = floats[i * ITEMS];
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  int denominators[QUERIES];
#pragma unroll
  for (uint i = 0; i < QUERIES; ++i) {
    denominators[i] = 0;
    most[i] = 0.0f;
  }
  for (uint entry = item; entry < num_entries; entry += ITEMS) {
    const ulong slot =
        head_slot + slot_of_entry(entry, first_ring_slot, ring_slots);
    const float value_scale = kv_scales[slot].y;
#pragma unroll
    for (uint i = 0; i < QUERIES; ++i) {
      if (i >= num_queries) continue;
      const float t = scores[i * stride + entry] - largest[i];
      if (t < SCORE_LIMIT) continue;
      const float power = exp2n(t) * 0x1p+16f;
      denominators[i] += (int)round_even(power);
      most[i] = fmax(most[i], power * value_scale);
    }
  }
#pragma unroll
  for (uint i = 0; i < QUERIES; ++i) floats[i * ITEMS + item] = most[i];
  largest_of_queries(floats, num_queries);
  for (uint i = item; i < num_queries; i += ITEMS) {
    const float of = floats[i * ITEMS];
    factors[i] = of == 0.0f ? 0.0f : quotient(16383.0f, of);
    out_scales[i] = quotient(of, 16383.0f);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
  for (uint i = 0; i < QUERIES; ++i) ints[i * ITEMS + item] = denominators[i];
  sums_of_queries(ints, num_queries);
  for (uint i = item; i < num_queries; i += ITEMS) {
    out_scales[i] = quotient(out_scales[i], (float)ints[i * ITEMS]);
  }

  // An item has a dimension of the values.
  for (uint first_dim = 0; first_dim < head_dim; first_dim += ITEMS) {
    const uint dim = first_dim + item;
    int high[QUERIES], low[QUERIES];
#pragma unroll
    for (uint i = 0; i < QUERIES; ++i) high[i] = low[i] = 0;
    for (uint base = 0; base < num_entries; base += ITEMS) {
      barrier(CLK_LOCAL_MEM_FENCE);
      // Values are on their way while weights are computed.
      int values[ITEMS / 4];
#pragma unroll
      for (uint k = 0; k < ITEMS / 4; ++k) {
        const uint at = min(base + 4 * k, num_entries - 4);
        const ulong slot =
            head_slot + slot_of_entry(at, first_ring_slot, ring_slots);
        values[k] = kv_values[slot / 4 * head_dim + min(dim, head_dim - 1)];
      }
      const uint entry = base + item;
      float value_scale = 0.0f;
      if (entry < num_entries) {
        value_scale =
            kv_scales[head_slot +
                      slot_of_entry(entry, first_ring_slot, ring_slots)]
                .y;
      }
      local uchar* bytes = (local uchar*)shared + item;
      for (uint i = 0; i < num_queries; ++i) {
        // Nothing beyond the last entry.
        int weight = 0;
        if (entry < num_entries) {
          const float t = scores[i * stride + entry] - largest[i];
          if (!(t < SCORE_LIMIT)) {
            const float power = exp2n(t) * 0x1p+16f;
            weight = (int)round_even((power * value_scale) * factors[i]);
          }
        }
        bytes[2 * i * ITEMS] = (uchar)(weight >> 7);
        bytes[(2 * i + 1) * ITEMS] = (uchar)(weight & 127);
      }
      barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
      for (uint part = 0; part < ITEMS / 16; ++part) {
#pragma unroll
        for (uint i = 0; i < QUERIES; ++i) {
          if (i >= num_queries) continue;
          const int4 hi = shared[2 * i * (ITEMS / 16) + part];
          const int4 lo = shared[(2 * i + 1) * (ITEMS / 16) + part];
          high[i] = dot4(hi.x, values[4 * part], high[i]);
          high[i] = dot4(hi.y, values[4 * part + 1], high[i]);
          high[i] = dot4(hi.z, values[4 * part + 2], high[i]);
          high[i] = dot4(hi.w, values[4 * part + 3], high[i]);
          low[i] = dot4(lo.x, values[4 * part], low[i]);
          low[i] = dot4(lo.y, values[4 * part + 1], low[i]);
          low[i] = dot4(lo.z, values[4 * part + 2], low[i]);
          low[i] = dot4(lo.w, values[4 * part + 3], low[i]);
        }
      }
    }
#pragma unroll
    for (uint i = 0; i < QUERIES; ++i) {
      if (i >= num_queries || dim >= head_dim) continue;
      out[(ulong)query_of[i] * head_dim + dim] =
          ((float)high[i] * 128.0f + (float)low[i]) * out_scales[i];
    }
  }
}
#undef ATTEND
#undef QUERIES
