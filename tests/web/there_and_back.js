// SPDX-License-Identifier: Apache-2.0
// The module restores the files in tests/files, which the program made, and
// makes the same of their contents; and it imports a model.
//   node there_and_back.js page_engine.js TESTS_FOLDER
'use strict';
const assert = require('assert');
const fs = require('fs');
const {load} = require('./node_engine.js');

const main = async (module, folder) => {
  const page = await load(module);
  const read = name => new Uint8Array(fs.readFileSync(folder + '/' + name));
  const model = read('data/tiny.llmm');
  assert(page.useModel(model).ok);
  let restored = 0;
  const files = fs.readdirSync(folder + '/files');
  for (const name of files.filter(f => /^level-[0-9].*\.llma$/.test(f))) {
    const file = read('files/' + name);
    const {ok, about, bytes} = page.restore(file);
    assert(ok, name + ': ' + about.text);
    const level = Number(name[6]);
    const again = page.compress(bytes, level);
    assert(again.ok, again.about.text);
    const back = page.restore(again.bytes);
    assert(back.ok && Buffer.compare(back.bytes, bytes) === 0, name);
    ++restored;
  }
  assert(restored > 10);
  // The pieces that are told cover the content, and their bits are the code's.
  const content = read('files/english.txt').slice(0, 3000);
  const made = page.compress(content, 6);
  const bits = new Float64Array(content.length), sizes = bits.slice();
  for (const {kind, bytes} of page.told.filter(m => m.kind === 2)) {
    const numbers = new Uint32Array(bytes.buffer);
    for (let i = 0; i < numbers.length; i += 3) {
      sizes[numbers[i]] = numbers[i + 1];
      bits[numbers[i]] = numbers[i + 2] / 1000;
    }
  }
  const sum = numbers => numbers.reduce((a, b) => a + b, 0);
  assert.strictEqual(sum(sizes), content.length);
  assert(Math.abs(sum(bits) / 8 - made.bytes.length) < 60);
  // A wrong model, a level that needs one.
  const other = page.restore(read('files/unsupported-model.llma'));
  assert.strictEqual(other.about.status, 'LLMA_ERROR_MODEL_MISSING');
  const imported = page.importGguf(read('data/tiny.gguf'), 'tiny');
  assert(imported.ok, imported.about.text);
  assert.strictEqual(Buffer.compare(imported.bytes, model), 0);
  page.engine._web_drop_model();
  assert.strictEqual(page.compress(content, 6).about.status,
                     'LLMA_ERROR_MODEL_MISSING');
  assert(page.compress(content, 2).ok);
  console.log(restored + ' files there and back');
};

main(process.argv[2], process.argv[3]).catch(error => {
  console.error(error);
  process.exit(1);
});
