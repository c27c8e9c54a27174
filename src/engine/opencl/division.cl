// SPDX-License-Identifier: Apache-2.0
// Quotients and roots of floats as IEEE binary32 rounds them: by the device, or
// with LLMA_INTEGER_DIVISION by integers, where it does not round them so.
#pragma OPENCL FP_CONTRACT OFF

#if defined(LLMA_INTEGER_DIVISION)
#define NAN_BITS 0x7fc00000u
#define INFINITY_BITS 0x7f800000u

// The float sum / 2^26 * 2^exponent, to nearest and even. `sum` is exact, or
// its last bit is 1 and stands for some more; it is in [2^26, 2^27).
uint rounded_bits(uint sum, int exponent) {
  if (exponent > 127) return INFINITY_BITS;
  // Below 2^-126 fewer bits are left; 27 away, it is below half of the least.
  const int dropped = 3 + (exponent < -126 ? min(-126 - exponent, 27) : 0);
  const uint kept = sum >> dropped;
  const uint rest = sum & ((1u << dropped) - 1);
  const uint half_unit = 1u << (dropped - 1);
  const uint up = rest > half_unit || (rest == half_unit && (kept & 1));
  // The bit that is not stored adds 1 to the exponent, as a carry does.
  const uint biased = exponent < -126 ? 0 : (uint)(exponent + 126);
  return (biased << 23) + kept + up;
}

// bits, finite and not 0, = result / 2^23 * 2^exponent, result in [2^23, 2^24).
uint significand(uint bits, int* exponent) {
  const uint low = bits & 0x7fffff, biased = bits >> 23 & 255;
  if (biased != 0) {
    *exponent = (int)biased - 127;
    return low | 0x800000;
  }
  const int shift = (int)clz(low) - 8;
  *exponent = -126 - shift;
  return low << shift;
}

float quotient(float a, float b) {
  const uint sign = (as_uint(a) ^ as_uint(b)) & 0x80000000u;
  const uint x = as_uint(a) & 0x7fffffff, y = as_uint(b) & 0x7fffffff;
  if (x > INFINITY_BITS || y > INFINITY_BITS || (x == 0 && y == 0) ||
      (x == INFINITY_BITS && y == INFINITY_BITS)) {
    return as_float(NAN_BITS);
  }
  if (x == 0 || y == INFINITY_BITS) return as_float(sign);
  if (y == 0 || x == INFINITY_BITS) return as_float(sign | INFINITY_BITS);
  int x_exponent, y_exponent;
  ulong over = significand(x, &x_exponent);
  const ulong under = significand(y, &y_exponent);
  int exponent = x_exponent - y_exponent;
  if (over < under) {
    over <<= 1;
    --exponent;
  }
  const ulong whole = (over << 26) / under;
  const uint has_rest = whole * under != over << 26;
  return as_float(sign | rounded_bits((uint)whole | has_rest, exponent));
}

float root(float a) {
  const uint x = as_uint(a);
  if (x == 0 || x == 0x80000000u || x == INFINITY_BITS) return a;
  if (x > INFINITY_BITS) return as_float(NAN_BITS);
  int exponent;
  ulong square = significand(x, &exponent);
  if (exponent & 1) {
    square <<= 1;
    --exponent;
  }
  // The largest `whole` whose square is not more: in [2^26, 2^27).
  square <<= 29;
  ulong whole = 0;
  for (ulong bit = 1 << 26; bit > 0; bit >>= 1) {
    const ulong more = whole | bit;
    if (more * more <= square) whole = more;
  }
  const uint has_rest = whole * whole != square;
  return as_float(rounded_bits((uint)whole | has_rest, exponent / 2));
}
#else
float quotient(float a, float b) { return a / b; }
float root(float a) { return sqrt(a); }
#endif

