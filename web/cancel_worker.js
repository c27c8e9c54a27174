// SPDX-License-Identifier: Apache-2.0
// Cancels the work of threads, which do not listen while they work. The page does
// not do it itself: what it has a part of stays in memory for longer.
'use strict';

onmessage = ({data: {channel, buffer, address}}) => {
  const words = new Int32Array(buffer);
  new BroadcastChannel('llma-cancel-' + channel).onmessage = () =>
      Atomics.store(words, address >> 2, 1);
};
