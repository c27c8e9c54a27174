// SPDX-License-Identifier: Apache-2.0
#include "cli/inspection_parts.h"

namespace llma::cli {

const std::string_view kInspectionScript = R"js(
'use strict';
const d = JSON.parse(document.getElementById('data').textContent);
const at = id => document.getElementById(id);
const limits = [0.5, 1, 2, 4, 6, 9, 13];
const classOf = bits => {
  let i = 0;
  while (i < limits.length && bits >= limits[i]) ++i;
  return i;
};
const number = x => x.toLocaleString('en');
const n = d.texts.length;
const bits = d.pieceBits.map(b => b / 100);

at('name').textContent = d.file;
at('how').textContent = 'llma -' + d.level + ', ' +
    (d.model ? 'model ' + d.model : 'context models alone');
const total = (name, value) => {
  const box = document.createElement('div');
  const b = document.createElement('b');
  b.textContent = value;
  box.append(b, name);
  at('totals').append(box);
};
total('bytes', number(d.contentBytes));
total('compressed', number(d.fileBytes));
if (d.fileBytes > 0)
  total('times smaller', (d.contentBytes / d.fileBytes).toFixed(2));
if (d.contentBytes > 0)
  total('bits per byte', (8 * d.fileBytes / d.contentBytes).toFixed(3));
total('pieces', number(n));
total('bytes of code, by pieces', number(Math.round(d.bits / 8)));
total('bytes of code, in the file', number(d.payloadBytes));

// The text, in blocks, so that only what is seen is laid out. They end with
// lines, unless those are very long.
const offsets = new Array(n);
let offset = 0;
for (let i = 0; i < n; ++i) { offsets[i] = offset; offset += d.sizes[i]; }
const escapes = {'&': '&amp;', '<': '&lt;', '>': '&gt;'};
const escaped = s => s.replace(/[&<>]/g, c => escapes[c]);
const kBlock = 400, kMaxBlock = 4000;
const blocks = [];
for (let i = 0, k = 0; i < n; i = k) {
  let html = '';
  while (k < n && k < i + kMaxBlock &&
      (k < i + kBlock || !d.texts[k - 1].endsWith('\n'))) {
    const c = classOf(bits[k]);
    html += '<span data-i="' + k + '"' + (c ? ' class="b' + c + '"' : '') +
        '>' + escaped(d.texts[k]) + '</span>';
    ++k;
  }
  blocks.push('<div>' + html + '</div>');
}
at('text').innerHTML = blocks.join('');
const spanOf = i => at('text').querySelector('[data-i="' + i + '"]');

function goTo(first, count) {
  for (const old of at('text').querySelectorAll('.chosen'))
    old.classList.remove('chosen');
  for (let i = first; i < Math.min(n, first + count); ++i)
    spanOf(i).classList.add('chosen');
  if (first < n) spanOf(first).scrollIntoView({block: 'center'});
}

function passages(id, list) {
  for (const [first, count, value] of list) {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = '#text';
    link.textContent = d.texts.slice(first, first + count).join('').trim();
    link.onclick = event => { event.preventDefault(); goTo(first, count); };
    const note = document.createElement('span');
    note.className = 'soft';
    note.textContent = ' ' + value.toFixed(2) + ' bits per byte, at byte ' +
        number(offsets[first]);
    item.append(link, note);
    at(id).append(item);
  }
  if (list.length === 0) at(id).textContent = 'The text is too short.';
}
passages('dearest', d.dearest);
passages('cheapest', d.cheapest);

function bar(svg, x, width, height, title, onclick) {
  const space = 'http://www.w3.org/2000/svg';
  const rect = document.createElementNS(space, 'rect');
  rect.setAttribute('class', 'bar');
  rect.setAttribute('x', x);
  rect.setAttribute('y', 100 - height);
  rect.setAttribute('width', width);
  rect.setAttribute('height', height);
  const text = document.createElementNS(space, 'title');
  text.textContent = title;
  rect.append(text);
  if (onclick) rect.onclick = onclick;
  svg.append(rect);
}

{
  const count = Math.max(1, Math.min(160, n, Math.ceil(d.contentBytes / 32)));
  const sums = new Array(count).fill(0), sizes = new Array(count).fill(0);
  const firsts = new Array(count).fill(n);
  for (let i = 0; i < n; ++i) {
    const k = Math.min(count - 1, Math.floor(offsets[i] * count /
        Math.max(1, d.contentBytes)));
    sums[k] += bits[i];
    sizes[k] += d.sizes[i];
    firsts[k] = Math.min(firsts[k], i);
  }
  const rates = sums.map((s, k) => sizes[k] ? s / sizes[k] : 0);
  const most = Math.max(0.01, ...rates);
  const svg = at('over');
  svg.setAttribute('viewBox', '0 0 ' + count + ' 100');
  rates.forEach((rate, k) => bar(svg, k + 0.05, 0.9, 96 * rate / most,
      'byte ' + number(offsets[firsts[k]] || 0) + ': ' + rate.toFixed(2) +
      ' bits per byte', () => goTo(firsts[k], 1)));
}
{
  const sums = new Array(limits.length + 1).fill(0);
  const counts = new Array(limits.length + 1).fill(0);
  for (const b of bits) { sums[classOf(b)] += b; ++counts[classOf(b)]; }
  const most = Math.max(0.01, ...sums);
  const svg = at('classes');
  svg.setAttribute('viewBox', '0 0 ' + sums.length + ' 100');
  const names = sums.map((_, k) => k === 0 ? 'below ' + limits[0] :
      k === limits.length ? limits[k - 1] + ' and more' :
      limits[k - 1] + ' to ' + limits[k]);
  sums.forEach((s, k) => bar(svg, k + 0.08, 0.84, 96 * s / most,
      names[k] + ' bits: ' + number(counts[k]) + ' pieces, ' +
      (100 * s / Math.max(0.01, d.bits)).toFixed(1) + ' % of all bits'));
  names.forEach((name, k) => {
    const mark = document.createElement('span');
    if (k) mark.className = 'b' + k;
    mark.textContent = name;
    at('legend').append(mark, ' ');
  });
  at('classes-note').textContent = 'Share of all bits that pieces of each ' +
      'cost take; the colours of the text below, in bits a piece. ' +
      (100 * counts[0] / Math.max(1, n)).toFixed(0) + ' % of the pieces cost ' +
      'less than half a bit.';
}

const visible = s => s.replace(/\n/g, '\u21b5').replace(/\t/g, '\u21e5')
    .replace(/ /g, '\u2423') || '(part of a character)';
function showTip(span) {
  const i = +span.dataset.i;
  let html = '<code>' + escaped(visible(d.texts[i])) + '</code><br>' +
      bits[i].toFixed(2) + ' bits';
  if (d.modelBits[i] >= 0)
    html += ', ' + (d.modelBits[i] / 100).toFixed(2) +
        ' by the language model alone';
  const others = d.alternatives[i];
  if (others.length) {
    html += '<table>';
    for (let k = 0; k < others.length; k += 2)
      html += '<tr><td>' + (others[k + 1] / 10).toFixed(1) + ' %</td><td><code>' +
          escaped(visible(d.spellings[others[k]])) + '</code></td></tr>';
    html += '</table>';
  }
  const tip = at('tip');
  tip.innerHTML = html;
  tip.style.display = 'block';
  const box = span.getClientRects()[0];
  if (!box) return;
  const x = Math.min(box.left, innerWidth - tip.offsetWidth - 8);
  const below = box.bottom + 6;
  const y = below + tip.offsetHeight > innerHeight ?
      box.top - tip.offsetHeight - 6 : below;
  tip.style.left = Math.max(4, x) + 'px';
  tip.style.top = Math.max(4, y) + 'px';
}
const hideTip = () => { at('tip').style.display = 'none'; };
for (const kind of ['mouseover', 'click'])
  at('text').addEventListener(kind, event => {
    if (event.target.dataset.i !== undefined) showTip(event.target);
  });
at('text').addEventListener('mouseleave', hideTip);
addEventListener('scroll', hideTip, {passive: true});
)js";

}  // namespace llma::cli
