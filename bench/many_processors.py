#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What restoring at -6 could reach with many processors, by frames and threads.

    many_processors.py [--multiply-adds 210] [--bandwidth 300] ...

A model of passes, not a measurement: the default model's weights are read once a
pass, at the machine's bandwidth, beside its multiply-adds; after each of its steps
the threads of a group meet; then each frame's lanes walk to their tokens, one frame
a thread. Figures for a core are those that other programs in this folder print; a
Markdown table comes out.
"""

import argparse
import math

LANES = 12  # of a frame at -6
# The default model: multiply-adds of matrices a token, bytes of weights and scales
# a pass, of keys and values that a lane reads in a pass (768 positions), and steps
# of a pass after which threads meet.
TOKEN_MACS, WEIGHT_BYTES, LANE_BYTES, STEPS = 134.5e6, 142.9e6, 8.8e6, 300
BYTES_A_TOKEN = 4.1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--multiply-adds", type=float, default=210,
                        help="G/s of a core, few rows, weights in the caches "
                        "(memory_limits)")
    parser.add_argument("--bandwidth", type=float, nargs="+",
                        default=[60, 120, 300],
                        help="GB/s with 8, 16 and 64 processors")
    parser.add_argument("--meeting", type=float, default=1.5,
                        help="microseconds for two threads to meet; more take "
                        "longer by the logarithm of their number")
    parser.add_argument("--walk", type=float, default=13,
                        help="microseconds a byte: weights of tokens, context "
                        "models, coder")
    arguments = parser.parse_args()

    def speed(processors, bandwidth, groups, frames):
        """KB/s of so many groups with so many frames each."""
        threads = processors / groups
        rows = LANES * frames
        compute = rows * TOKEN_MACS / (threads * arguments.multiply_adds * 1e9)
        memory = ((WEIGHT_BYTES + rows * LANE_BYTES) * groups
                  / (bandwidth * 1e9))
        meet = STEPS * arguments.meeting * 1e-6 * max(1, math.log2(threads))
        # Frames walk side by side, as far as there are threads.
        turns = math.ceil(frames / threads)
        walk = turns * LANES * BYTES_A_TOKEN * arguments.walk * 1e-6
        seconds = max(compute, memory) + meet + walk
        return groups * rows * BYTES_A_TOKEN / seconds / 1000

    print("| processors, GB/s | one frame | frames of 8 threads | one group of 4 "
          "frames | groups of 8 threads, 4 frames each | frames in flight |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for processors, bandwidth in zip((8, 16, 64), arguments.bandwidth):
        groups = max(1, processors // 8)
        cells = [speed(processors, bandwidth, *how)
                 for how in ((1, 1), (groups, 1), (1, 4), (groups, 4))]
        print(f"| {processors}, {bandwidth:.0f} | "
              + " | ".join(f"{cell:.0f} KB/s" for cell in cells)
              + f" | {4 * groups} |")


if __name__ == "__main__":
    main()
