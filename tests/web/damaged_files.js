// SPDX-License-Identifier: Apache-2.0
// Damaged files in the module: each ends with an error or, where the damage did
// no harm, the right content; no trap, and memory does not grow.
//   node damaged_files.js page_engine.js TESTS_FOLDER [COUNT]
'use strict';
const assert = require('assert');
const fs = require('fs');
const {load, random} = require('./node_engine.js');

const main = async (module, folder, count = 10000) => {
  const page = await load(module);
  const read = name => new Uint8Array(fs.readFileSync(folder + '/' + name));
  assert(page.useModel(read('data/tiny.llmm')).ok);
  // Short ones, so that ten thousand take a minute.
  const contents = ['english-line.txt', 'code-line.txt', 'table-line.txt'];
  const files = [];
  for (const name of contents) {
    for (const level of [1, 2, 4, 6, 9]) {
      const made = page.compress(read('files/' + name), level);
      assert(made.ok, made.about.text);
      files.push(made.bytes);
    }
  }
  files.push(read('files/index.llma'), read('files/two-members.llma'),
             read('files/level-6-source.llma'), read('files/short.llma'));
  const below = random(1);
  const restored = files.map(file => {
    const {ok, bytes} = page.restore(file);
    assert(ok);
    return Buffer.from(bytes);
  });
  const damage = file => {
    let bytes = file.slice();
    for (let n = 1 + below(3); n > 0 && bytes.length > 0; --n) {
      const place = below(bytes.length);
      switch (below(6)) {
        case 0: bytes[place] ^= 1 << below(8); break;
        case 1: bytes[place] = below(256); break;
        case 2: bytes = bytes.slice(0, place); break;
        case 3: bytes.copyWithin(place, below(bytes.length)); break;
        case 4:  // some bytes are left out
          bytes = new Uint8Array([...bytes.subarray(0, place),
                                  ...bytes.subarray(place + 1 + below(8))]);
          break;
        case 5: bytes[below(Math.min(30, bytes.length))] = below(256); break;
      }
    }
    return bytes;
  };
  const found = {};
  let before = 0;
  for (let i = 0; i < count; ++i) {
    const which = below(files.length);
    const file = damage(files[which]);
    const {ok, about, bytes} = page.restore(file);
    // A file of two members may end with the first one.
    if (ok) {
      assert(bytes.length > 0 &&
             restored[which].subarray(0, bytes.length).equals(
                 Buffer.from(bytes)), `other content of file ${which}`);
    }
    assert(ok || /^LLMA_ERROR_/.test(about.status), JSON.stringify(about));
    assert.notStrictEqual(about.status, 'LLMA_ERROR_INTERNAL');
    const kind = ok ? 'LLMA_OK' : about.status;
    found[kind] = (found[kind] || 0) + 1;
    if (i === Math.floor(count / 10)) before = page.memoryBytes();
  }
  console.log(found);
  assert.strictEqual(page.memoryBytes(), before, 'memory has grown');
  assert((found.LLMA_OK || 0) < count / 4);
  // And a whole file is still restored.
  assert(page.restore(files[3]).ok);
};

main(process.argv[2], process.argv[3], Number(process.argv[4] || 10000))
    .catch(error => {
      console.error(error);
      process.exit(1);
    });
