// SPDX-License-Identifier: Apache-2.0
// The module of the page in Node, as worker.js uses it.
'use strict';
const fs = require('fs');
const path = require('path');

exports.load = async file => {
  const memory = new WebAssembly.Memory({initial: 512, maximum: 32768});
  const told = [];
  const engine = await require(path.resolve(file))({
    wasmMemory: memory,
    wasmBinary: fs.readFileSync(file.replace(/\.js$/, '.wasm')),
    tell: message => told.push(message),
  });
  engine._web_start(0);
  const heap = () => new Uint8Array(memory.buffer);
  const copyIn = bytes => {
    const pointer = engine._web_reserve(bytes.length);
    heap().set(bytes, pointer);
    return pointer;
  };
  const text = () => {
    const found = engine.UTF8ToString(engine._web_text());
    return found ? JSON.parse(found) : {};
  };
  const take = () => {
    const from = engine._web_result();
    const bytes = heap().slice(from, from + engine._web_result_bytes());
    engine._web_drop_result();
    return bytes;
  };
  // {ok, about, bytes}
  const work = (call, bytes) => {
    told.length = 0;
    const pointer = copyIn(bytes);
    const ok = call(pointer) === 1;
    const about = text();
    const result = {ok, about, bytes: take()};
    engine._web_release(pointer);
    return result;
  };
  return {
    engine, told,
    memoryBytes: () => memory.buffer.byteLength,
    useModel: bytes => {
      const ok = engine._web_use_model(copyIn(bytes), bytes.length);
      return {ok: ok === 1, about: text()};
    },
    importGguf: (bytes, name) => {
      engine.FS.writeFile('/source.gguf', bytes);
      const ok = engine.ccall('web_import', 'number',
          Array(4).fill('string'), ['/source.gguf', '/made.llmm', name, '']);
      if (ok !== 1) return {ok: false, about: text()};
      return {ok: true, about: text(), bytes: engine.FS.readFile('/made.llmm')};
    },
    compress: (bytes, level) => work(
        p => engine._web_compress(p, bytes.length, level, 1), bytes),
    restore: bytes => work(
        p => engine._web_restore(p, bytes.length, 1), bytes),
  };
};

// Always the same numbers below `bound`.
exports.random = seed => {
  let state = seed >>> 0 || 1;
  return bound => {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state % bound;
  };
};
