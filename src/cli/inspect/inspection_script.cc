// SPDX-License-Identifier: Apache-2.0
// The page's script, in two parts: a compiler need not take longer strings.
#include "cli/inspect/inspection_parts.h"

namespace llma::cli {

// The numbers: totals, legend, course, passages.
const std::string_view kInspectionScript = R"js(
'use strict';
const d = JSON.parse(document.getElementById('data').textContent);
const at = id => document.getElementById(id);
const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const limits = [0.5, 1, 2, 4, 6, 9, 13];
const classOf = bits => {
  let i = 0;
  while (i < limits.length && bits >= limits[i]) ++i;
  return i;
};
const number = x => x.toLocaleString('en');
const percent = (part, all) => {
  const p = all > 0 ? 100 * part / all : 0;
  return (p > 0 && p < 0.05 ? 'below 0.1' : p.toFixed(1)) + '\u202f%';
};
const n = d.texts.length;
const bits = d.pieceBits.map(b => b / 100);
const hasTokens = d.modelBits.some(b => b >= 0);
const unit = hasTokens ? 'token' : 'byte';
for (const e of document.querySelectorAll('.unit')) e.textContent = unit;
for (const e of document.querySelectorAll('.units')) e.textContent = unit + 's';
const offsets = new Array(n);
let end = 0;
for (let i = 0; i < n; ++i) { offsets[i] = end; end += d.sizes[i]; }

at('name').textContent = d.file;
at('how').textContent = 'llma -' + d.level + ', ' +
    (hasTokens ? 'model ' + d.model : 'without a language model');
const total = (value, name) => {
  const box = make('div');
  box.append(make('dt', '', name), make('dd', '', value));
  at('totals').append(box);
};
const inBytes = x => number(x) + (x === 1 ? ' byte' : ' bytes');
total(inBytes(d.contentBytes), 'original');
total(inBytes(d.fileBytes), 'compressed');
if (n > 0) {
  total(percent(d.fileBytes, d.contentBytes), 'of the original');
  total((8 * d.fileBytes / d.contentBytes).toFixed(3), 'bits per byte');
  if (hasTokens) total(number(n), n === 1 ? 'token' : 'tokens');
} else {
  at('how').textContent = 'The file is empty.';
  for (const id of ['shares', 'course', 'reader']) at(id).hidden = true;
}
// For comparison, where the browser has gzip and the text is all there.
{
  const text = new TextEncoder().encode(d.texts.join(''));
  if (n > 0 && window.CompressionStream && text.length === d.contentBytes) {
    const stream = new Blob([text]).stream();
    new Response(stream.pipeThrough(new CompressionStream('gzip'))).blob()
        .then(blob => total(inBytes(blob.size), 'with gzip'), () => {});
  }
}

// The legend, with the sums of its classes.
{
  const sums = new Array(limits.length + 1).fill(0);
  const counts = new Array(limits.length + 1).fill(0);
  d.pieceBits.forEach((b, i) => {
    sums[classOf(bits[i])] += b;
    ++counts[classOf(bits[i])];
  });
  const all = sums.reduce((a, b) => a + b, 0);
  const most = Math.max(1, ...sums);
  const row = (body, name, count, share, rest) => {
    const tr = make('tr');
    const head = make('th');
    head.scope = 'row';
    head.append(name);
    const wide = make('td', 'wide');
    wide.append(rest);
    tr.append(head, make('td', '', number(count)), make('td', '', share), wide);
    at('classes').querySelector(body).append(tr);
  };
  sums.forEach((sum, k) => {
    const name = k === 0 ? 'below ' + limits[0] :
        k === limits.length ? limits[k - 1] + ' and more' :
        limits[k - 1] + ' to ' + limits[k];
    const track = make('div', 'track');
    const bar = make('span', 'b' + k);
    bar.style.width = 'calc((100% - 4.5rem) * ' + (sum / most).toFixed(4) + ')';
    track.append(bar, percent(sum, all));
    row('tbody', make('span', 'b' + k, name), counts[k],
        percent(counts[k], n), track);
  });
  row('tfoot', 'all', n, '', number(Math.round(all / 100)) + ' bits = ' +
      inBytes(Math.round(all / 800)));
}

// The course: what a stretch takes per byte, with axes.
{
  const count = Math.max(1, Math.min(160, n, Math.ceil(d.contentBytes / 32)));
  const sums = new Array(count).fill(0), sizes = new Array(count).fill(0);
  const firsts = new Array(count).fill(n);
  // A long repetition lies in many stretches.
  for (let i = 0, k = 0; i < n; ++i) {
    for (let from = offsets[i], to = from + d.sizes[i]; from < to;) {
      const until = Math.min(to, Math.ceil((k + 1) * end / count));
      firsts[k] = Math.min(firsts[k], i);
      sizes[k] += until - from;
      sums[k] += bits[i] * (until - from) / d.sizes[i];
      from = until;
      if (from >= (k + 1) * end / count) ++k;
    }
  }
  const rates = sums.map((s, k) => sizes[k] ? s / sizes[k] : 0);
  const most = Math.max(0.01, ...rates);
  // Round numbers of which two to five reach the top.
  const steps = [1, 2, 5].flatMap(x => [-2, -1, 0, 1].map(e => x * 10 ** e));
  const step = steps.sort((a, b) => a - b).find(s => most / s <= 4) || 50;
  const top = step * Math.ceil(most / step);
  const plot = document.querySelector('#course .plot');
  const svg = plot.querySelector('svg');
  svg.setAttribute('viewBox', '0 0 ' + count + ' 100');
  const draw = (name, className, values, title) => {
    const e = document.createElementNS(svg.namespaceURI, name);
    if (className) e.setAttribute('class', className);
    for (const key in values) e.setAttribute(key, values[key]);
    if (title) {
      const text = document.createElementNS(svg.namespaceURI, 'title');
      text.textContent = title;
      e.append(text);
    }
    svg.append(e);
    return e;
  };
  const line = (className, value) => draw('line', className,
      {x1: 0, x2: count, y1: 100 - 100 * value / top,
       y2: 100 - 100 * value / top});
  const label = (axis, side, share, text) => {
    const mark = make('span', '', text);
    mark.style[side] = (100 * share).toFixed(2) + '%';
    plot.querySelector(axis).append(mark);
  };
  for (let i = 0; i * step <= top * 1.001; ++i) {
    if (i) line('', i * step);
    label('.y', 'bottom', i * step / top, +(i * step).toFixed(2));
  }
  rates.forEach((rate, k) => {
    if (!sizes[k]) return;
    draw('rect', '', {x: k + 0.05, y: 100 - 100 * rate / top, width: 0.9,
        height: 100 * rate / top}, 'byte ' + number(offsets[firsts[k]]) +
        ': ' + rate.toFixed(2) + ' bits per byte')
        .addEventListener('click', () => goTo(firsts[k], 1));
  });
  const mean = d.bits / Math.max(1, end);
  line('mean', mean);
  label('.x', 'left', 0, 'byte 0');
  if (end > 1) label('.x', 'left', 0.5, number(Math.round(end / 2)));
  label('.x', 'left', 1, number(end));
  const hardest = rates.indexOf(Math.max(...rates));
  svg.setAttribute('aria-label', 'Bits per byte along the file: on average ' +
      mean.toFixed(2) + ', at most ' + rates[hardest].toFixed(2) +
      ' from byte ' + number(offsets[firsts[hardest]] || 0) + ' on.');
}

// Repetitions can be of any length.
const shortened = s => s.length <= 400 ? s :
    s.slice(0, 400).replace(/\s+\S*$/, '') + ' \u2026';
function passages(id, list) {
  for (const [first, count, value] of list) {
    const item = make('li'), link = make('a');
    link.href = '#text';
    link.dir = 'auto';
    link.textContent = shortened(
        d.texts.slice(first, first + count).join('').trim());
    link.onclick = event => { event.preventDefault(); goTo(first, count); };
    item.append(link, make('span', 'soft', value.toFixed(2) +
        ' bits per byte, at byte ' + number(offsets[first])));
    at(id).append(item);
  }
}
passages('dearest', d.dearest);
passages('cheapest', d.cheapest);
at('passages').hidden = d.dearest.length === 0;
)js";

// The text, and what is known of each token in it.
const std::string_view kInspectionTextScript = R"js(
const escapes = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
const escaped = s => s.replace(/[&<>"]/g, c => escapes[c]);
// Characters that would turn the text around or stay unseen, by their codes.
const unseen = /[\u0080-\u009f\u200b\u2028-\u202e\u2060-\u2069\ufeff]/g;
const byCode = s => s.replace(unseen, c =>
    '\\u' + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0'));
// One line break for CR LF, for LF and for CR.
const shown = d.texts.map((text, k) => byCode(text).replace(/\r/g,
    (cr, i, s) => (s[i + 1] || (d.texts[k + 1] || '')[0]) === '\n' ? '' : '\n'));

// The colour stands on what can be read. Blanks get a mark of one column if
// the token has nothing else.
function spanHtml(k) {
  const colour = 'b' + classOf(bits[k]), s = shown[k];
  const span = (inner, className) => '<span data-i="' + k + '"' +
      (className ? ' class="' + className + '"' : '') + '>' + inner + '</span>';
  const marked = (mark, rest) => span('<i class="' + colour +
      '" data-mark="' + mark + '"></i>' + rest);
  if (d.texts[k] === '') return span('', 'part ' + colour);
  if (/[^ \t\n]/.test(s)) {
    if (!/[ \t\n]/.test(s)) return span(escaped(s), colour);
    return span(s.replace(/[^ \t\n]+(?: [^ \t\n]+)*/g,
        run => '<i class="' + colour + '">' + escaped(run) + '</i>'));
  }
  if (s === '') return marked('\u240d', '');
  if (s[0] === '\n') return marked('\u21b5', s);
  if (s[0] === '\t') return marked('\u21e5', s);
  return span('<i class="' + colour + '"> </i>' + s.slice(1));
}

// In blocks, so that only what is seen is laid out. They end with lines, unless
// those are very long.
const kBlock = 400, kMaxBlock = 4000;
const blocks = [];
for (let i = 0, k = 0; i < n; i = k) {
  let html = '';
  while (k < n && k < i + kMaxBlock &&
      (k < i + kBlock || !shown[k - 1].endsWith('\n'))) html += spanHtml(k++);
  blocks.push('<div>' + html + '</div>');
}
at('text').innerHTML = blocks.join('');
const spanOf = i => at('text').querySelector('[data-i="' + i + '"]');

function goTo(first, count) {
  for (const old of at('text').querySelectorAll('.chosen'))
    old.classList.remove('chosen');
  for (let i = first; i < Math.min(n, first + count); ++i)
    spanOf(i).classList.add('chosen');
  if (first >= n) return;
  spanOf(first).scrollIntoView({block: 'center'});
  current = first - 1;  // from where the arrow keys go on
  at('text').focus({preventScroll: true});
}

const visible = s => byCode(s).replace(/\r/g, '\u240d').replace(/\n/g, '\u21b5')
    .replace(/\t/g, '\u21e5').replace(/ /g, '\u2423') ||
    '(part of a character)';
const chance = bits => {
  const p = 2 ** -bits;
  return p > 0.995 ? 'almost sure' :
      p >= 0.1 ? 'a chance of ' + Math.round(100 * p) + '\u202f%' :
      'a chance of 1 in ' + number(+(1 / p).toPrecision(2));
};
let current = -1, tipAt = -1;
function placeTip() {
  const tip = at('tip'), box = spanOf(tipAt).getClientRects()[0];
  if (!box || box.bottom < 0 || box.top > innerHeight) return hideTip();
  const x = Math.min(box.left, document.documentElement.clientWidth -
      tip.offsetWidth - 8);
  const below = box.bottom + 6;
  const y = below + tip.offsetHeight > innerHeight ?
      box.top - tip.offsetHeight - 6 : below;
  tip.style.left = Math.max(4, x) + 'px';
  tip.style.top = Math.max(4, y) + 'px';
}
function showTip(i) {
  if (i === tipAt) return;
  const text = d.texts[i];
  let html = '<code>' + escaped(visible(text.slice(0, 100))) + '</code>' +
      (text.length > 100 ? ' \u2026 ' + inBytes(d.sizes[i]) : '') + '<br><b>' +
      bits[i].toFixed(2) + ' bits</b>, ' + chance(bits[i]);
  if (d.modelBits[i] >= 0)
    html += '<br>' + (d.modelBits[i] / 100).toFixed(2) +
        ' bits by the language model alone';
  const others = d.alternatives[i];
  if (others.length) {
    html += '<table><caption>The language model expected</caption>';
    for (let k = 0; k < others.length; k += 2) {
      const spelling = d.spellings[others[k]];
      html += '<tr' + (spelling === text ? ' class="right"' : '') +
          '><td>' + (others[k + 1] / 10).toFixed(1) + '\u202f%</td><td><code>' +
          escaped(visible(spelling)) + '</code></td></tr>';
    }
    html += '</table>';
  }
  tipAt = i;
  at('tip').innerHTML = html;
  at('tip').style.display = 'block';
  placeTip();
}
function hideTip() {
  tipAt = -1;
  at('tip').style.display = 'none';
}
for (const kind of ['mouseover', 'click'])
  at('text').addEventListener(kind, event => {
    const span = event.target.closest('[data-i]');
    if (!span) return;
    showTip(+span.dataset.i);
    if (kind === 'click') setCurrent(+span.dataset.i);
  });
at('text').addEventListener('mouseleave', hideTip);
for (const kind of ['scroll', 'resize'])
  addEventListener(kind, () => { if (tipAt >= 0) placeTip(); },
      {passive: true});

function setCurrent(i) {
  const old = at('text').querySelector('.current');
  if (old) old.classList.remove('current');
  current = i;
  spanOf(i).classList.add('current');
}
// The nearest one in the line above or below.
function vertical(step) {
  const from = spanOf(current).getBoundingClientRect();
  let best = current, distance = Infinity, line = null;
  for (let i = current + step; i >= 0 && i < n; i += step) {
    const box = spanOf(i).getBoundingClientRect();
    if (Math.abs(box.top - from.top) < from.height / 2) continue;
    line = line === null ? box.top : line;
    if (Math.abs(box.top - line) > from.height / 2) break;
    if (Math.abs(box.left - from.left) < distance) {
      best = i;
      distance = Math.abs(box.left - from.left);
    }
  }
  return best;
}
at('text').addEventListener('keydown', event => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === 'Escape') return hideTip();
  const moves = {
    ArrowRight: () => current + 1, ArrowLeft: () => current - 1,
    ArrowDown: () => current < 0 ? 0 : vertical(1),
    ArrowUp: () => current < 0 ? 0 : vertical(-1),
    Home: () => 0, End: () => n - 1,
  };
  if (!Object.hasOwn(moves, event.key)) return;
  event.preventDefault();
  setCurrent(Math.max(0, Math.min(n - 1, moves[event.key]())));
  spanOf(current).scrollIntoView({block: 'nearest'});
  showTip(current);
});
at('text').addEventListener('blur', hideTip);
)js";

}  // namespace llma::cli
