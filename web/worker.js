// SPDX-License-Identifier: Apache-2.0
// The worker of the page: holds the model and runs the library (page_engine.cc),
// so that the page stays responsive. Before this, page_engine.js was read, which
// defines LlmaEngine.
'use strict';

const kPageBytes = 65536;
const kStartPages = 512;      // as web/CMakeLists.txt says
const kLargestPages = 32768;  // 2 GiB
const kPartBytes = 1 << 18;   // of a file that are read or written at a time
const kSmallFileBytes = 1 << 20, kLargeFileBytes = 1 << 28;
const kSource = '/source.gguf', kImported = '/imported.llmm';
const kAdapterName = 'smollm2-135m-text';

let engine, memory, threads = 1;

// What the library or the system says: `status` is a name of llma_status.
class Failure extends Error {
  constructor(status, text, more) {
    super(text);
    Object.assign(this, {status}, more);
  }
}

const heap = () => new Uint8Array(memory.buffer);
const textOf = () => engine.UTF8ToString(engine._web_text());

// The result of a function of page_engine.cc that returns 1 if all went well.
const check = ok => {
  const text = textOf();
  const result = text ? JSON.parse(text) : {};
  if (!ok) throw new Failure(result.status, result.text, result);
  return result;
};

const reserve = size => {
  const pointer = engine._web_reserve(size) >>> 0;
  if (pointer === 0) {
    throw new Failure('LLMA_ERROR_MEMORY', 'there is no memory for ' +
        Math.ceil(size / 1e6) + ' MB');
  }
  return pointer;
};

const copyIn = bytes => {
  const pointer = reserve(bytes.length);
  heap().set(bytes, pointer);
  return pointer;
};

const takeResult = () => {
  const from = engine._web_result() >>> 0;
  const bytes = heap().slice(from, from + engine._web_result_bytes());
  engine._web_drop_result();
  return bytes;
};

const tellLoading = (what, done, total) =>
    postMessage({kind: 'loading', what, done, total});

// Gives use() the parts of a file in order, all in one buffer: what waits for the
// garbage collector counts, too.
const readParts = async (file, use) => {
  let reader;
  try {
    reader = file.stream().getReader({mode: 'byob'});
  } catch (error) {
    for (let ofs = 0; ofs < file.size; ofs += kPartBytes) {
      const part = file.slice(ofs, ofs + kPartBytes);
      use(new Uint8Array(await part.arrayBuffer()), ofs);
    }
    return;
  }
  let buffer = new ArrayBuffer(kPartBytes);
  for (let ofs = 0; ofs < file.size;) {
    const {done, value} = await reader.read(new Uint8Array(buffer));
    if (done) throw new Error('it ends too early');
    use(value, ofs);
    ofs += value.length;
    buffer = value.buffer;
  }
};

// The same of a file that only this worker reads.
const readHandle = (access, use) => {
  const buffer = new Uint8Array(kPartBytes), size = access.getSize();
  for (let ofs = 0; ofs < size;) {
    const count = access.read(buffer, {at: ofs});
    if (count === 0) throw new Error('it ends too early');
    use(buffer.subarray(0, count), ofs);
    ofs += count;
  }
};

// Into the memory of the module. `read` calls what it is given with each part.
const copyFileIn = async (size, read) => {
  const pointer = reserve(size);
  try {
    await read((part, ofs) => {
      if (part.length > size - ofs) throw new Error('it changes');
      heap().set(part, pointer + ofs);
      tellLoading('Reading the model', ofs + part.length, size);
    });
  } catch (error) {
    engine._web_release(pointer);
    throw new Failure('LLMA_ERROR_IO', 'the file cannot be read: ' +
        error.message);
  }
  return pointer;
};

// --- Models in the browser's private file system -----------------------------

// Null where there is none: files from the disk, private windows.
const modelFolder = async () => {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle('models', {create: true});
  } catch (error) {
    return null;
  }
};

const fileNameOf = model => model.name + '--' + model.fingerprint + '.llmm';

const listModels = async () => {
  const folder = await modelFolder();
  const models = [];
  if (folder) {
    for await (const [file, handle] of folder.entries()) {
      const found = /^(.*)--([0-9a-f]{64})\.llmm$/.exec(file);
      if (!found) continue;
      models.push({file, name: found[1], fingerprint: found[2],
                   bytes: (await handle.getFile()).size});
    }
  }
  return {models, canKeep: folder !== null};
};

// Keeps the model that is open; false if that is not possible here.
const keepModel = async model => {
  const folder = await modelFolder();
  if (!folder) return false;
  const name = fileNameOf(model);
  let access;
  try {
    const handle = await folder.getFileHandle(name, {create: true});
    access = await handle.createSyncAccessHandle();
    access.truncate(0);
    // Memory that threads share is not written from where it is.
    const from = engine._web_model() >>> 0, buffer = new Uint8Array(kPartBytes);
    for (let ofs = 0; ofs < model.bytes; ofs += kPartBytes) {
      const part = buffer.subarray(0, Math.min(kPartBytes, model.bytes - ofs));
      part.set(heap().subarray(from + ofs, from + ofs + part.length));
      if (access.write(part, {at: ofs}) !== part.length) {
        throw new Error('no space');
      }
    }
    access.flush();
    access.close();
    return true;
  } catch (error) {
    if (access) access.close();
    await folder.removeEntry(name).catch(() => {});
    return false;
  }
};

const openMemory = (pointer, size) => {
  // It takes the memory over, also if it fails.
  return check(engine._web_use_model(pointer, size));
};

const openStored = async ({file}) => {
  const folder = await modelFolder();
  const handle = await folder.getFileHandle(file);
  engine._web_drop_model();
  // Another page may have it open right now.
  const access = await handle.createSyncAccessHandle().catch(() => null);
  let pointer, size;
  try {
    if (access) {
      size = access.getSize();
      pointer = await copyFileIn(size, use => readHandle(access, use));
    } else {
      const content = await handle.getFile();
      size = content.size;
      pointer = await copyFileIn(size, use => readParts(content, use));
    }
  } finally {
    if (access) access.close();
  }
  try {
    return {model: openMemory(pointer, size), isKept: true};
  } catch (error) {
    if (error.status !== 'LLMA_ERROR_MEMORY') {
      await folder.removeEntry(file);
      error.message += ' (what was kept of it is removed: load it again)';
    }
    throw error;
  }
};

const forget = async ({file}) => {
  await (await modelFolder()).removeEntry(file);
  return listModels();
};

// --- Opening and importing ----------------------------------------------------

const startsWith = async (file, text) => {
  const start = new Uint8Array(await file.slice(0, text.length).arrayBuffer());
  return String.fromCharCode(...start) === text;
};

const call = (name, ...strings) =>
    engine.ccall(name, 'number', strings.map(() => 'string'), strings);

const writeAdapter = adapter => {
  engine.FS.mkdirTree('/' + kAdapterName);
  engine.FS.writeFile('/' + kAdapterName + '/adapter_config.json',
                      adapter.config);
  engine.FS.writeFile('/' + kAdapterName + '/adapter_model.safetensors',
                      adapter.weights);
};

// GGUF to .llmm. `adapter` is merged into the file that it is for.
const importGguf = async ({file, name, adapter}) => {
  const {FS} = engine;
  try {
    const source = new Uint8Array(file.size);
    await readParts(file, (part, ofs) => {
      source.set(part, ofs);
      tellLoading('Reading the model', ofs + part.length, file.size);
    });
    FS.writeFile(kSource, source, {canOwn: true});
    tellLoading('Importing the model', 0, 0);
    let merged = '', given = name;
    if (adapter &&
        check(call('web_sha256', kSource)).sha256 === adapter.sourceSha256) {
      writeAdapter(adapter);
      merged = '/' + kAdapterName;
      given = kAdapterName;
    }
    check(call('web_import', kSource, kImported, given, merged));
    FS.unlink(kSource);
    const size = FS.stat(kImported).size;
    const pointer = engine.ccall('web_take_file', 'number',
                                 ['string', 'number'], [kImported, size]);
    if (pointer === 0) {
      throw new Failure('LLMA_ERROR_MEMORY', 'there is no memory for the model');
    }
    return openMemory(pointer >>> 0, size);
  } finally {
    for (const path of [kSource, kImported]) {
      try { FS.unlink(path); } catch (error) { /* is gone */ }
    }
  }
};

const openModel = async request => {
  const {file} = request;
  engine._web_drop_model();
  let model;
  const isImported = await startsWith(file, 'GGUF');
  if (isImported) {
    model = await importGguf(request);
  } else {
    const pointer = await copyFileIn(file.size, use => readParts(file, use));
    model = openMemory(pointer, file.size);
  }
  tellLoading('Keeping the model', 0, 0);
  return {model, isImported, isKept: await keepModel(model)};
};

const openUrl = async request => {
  let answer;
  try {
    answer = await fetch(request.url, {credentials: 'omit',
                                       referrerPolicy: 'no-referrer'});
  } catch (error) {
    throw new Failure('LLMA_ERROR_IO', 'the address cannot be read: its host ' +
        'does not answer, or does not let pages of others read it (CORS). ' +
        'Save the file, then choose it here');
  }
  if (!answer.ok) {
    throw new Failure('LLMA_ERROR_IO', 'the host answers ' + answer.status);
  }
  const total = Number(answer.headers.get('content-length')) || 0;
  const parts = [];
  let done = 0;
  for (const reader = answer.body.getReader();;) {
    const {done: isEnd, value} = await reader.read();
    if (isEnd) break;
    parts.push(new Blob([value]));
    done += value.length;
    tellLoading('Fetching the model', done, Math.max(total, done));
  }
  const file = new Blob(parts);
  return openModel({...request, file});
};

// --- Work ---------------------------------------------------------------------

const compress = ({bytes, level}) => {
  const pointer = copyIn(bytes);
  try {
    const about = check(engine._web_compress(pointer, bytes.length, level,
                                             threads));
    return {about, bytes: takeResult()};
  } finally {
    engine._web_release(pointer);
  }
};

const restore = ({bytes}) => {
  const pointer = copyIn(bytes);
  try {
    const about = check(engine._web_restore(pointer, bytes.length, threads));
    return {about, bytes: takeResult()};
  } finally {
    engine._web_release(pointer);
  }
};

const inspectionPage = ({name}) => {
  check(call('web_inspection_page', name));
  return {page: new TextDecoder().decode(takeResult())};
};

const start = async request => {
  // A page that is not isolated gets one thread and memory of its own.
  const shared = request.threads > 1;
  threads = request.threads;
  memory = new WebAssembly.Memory(
      {initial: kStartPages, maximum: kLargestPages, shared});
  const options = {
    wasmMemory: memory,
    print: () => {},
    printErr: () => {},
    tell: message => postMessage(message, [message.bytes.buffer]),
  };
  if (request.wasm) options.wasmBinary = request.wasm;
  if (request.script) {
    options.mainScriptUrlOrBlob = request.script;
    options.locateFile = file => new URL(file, request.script).href;
  }
  engine = await LlmaEngine(options);
  engine._web_start(request.channel);
  // Files grow here once, into memory that is taken as it is written; what grows
  // bit by bit leaves some times its size to the garbage collector.
  const memfs = engine.FS.filesystems.MEMFS, grow = memfs.expandFileStorage;
  memfs.expandFileStorage = (node, size) =>
      grow(node, size > kSmallFileBytes ? Math.max(size, kLargeFileBytes) : size);
  if (shared) {
    new Worker('cancel_worker.js').postMessage({
      channel: request.channel, buffer: memory.buffer,
      address: engine._web_cancel_address()});
  }
  return {threads, ...await listModels()};
};

const kOperations = {start, listModels, openStored, openModel, openUrl, forget, compress,
                     restore, inspectionPage};

onmessage = async ({data}) => {
  try {
    const result = await kOperations[data.operation](data);
    const transfer = result.bytes ? [result.bytes.buffer] : [];
    postMessage({kind: 'done', id: data.id, result,
                 memoryBytes: memory.buffer.byteLength}, transfer);
  } catch (error) {
    // What is not a Failure is a trap of the module, or no memory for an array.
    const isMemory = error instanceof RangeError;
    postMessage({kind: 'failed', id: data.id, error: {
      status: error.status ||
          (isMemory ? 'LLMA_ERROR_MEMORY' : 'LLMA_ERROR_INTERNAL'),
      text: error.message || String(error), model: error.model}});
  }
};
