// SPDX-License-Identifier: Apache-2.0
// Light and dark by what the reader's system asks for. b0 to b7 are the colours
// of tokens by their bits, in the text and in its legend.
#include "cli/inspect/inspection_parts.h"

namespace llma::cli {

const std::string_view kInspectionStyle = R"css(
:root { color-scheme: light dark; --page: #fcfcfb; --ink: #1d2126;
  --soft: #5d6672; --line: #d9dde2; --edge: #8a939e; --card: #ffffff;
  --mark: #1f6feb;
  --b1: #e3f2e3; --b2: #c6e6c8; --b3: #fdf1c4; --b4: #fbd99a; --b5: #f7b27f;
  --b6: #f08a76; --b7: #e0607e; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --ink: #e4e7ea;
  --soft: #98a2ad; --line: #333a42; --edge: #6d7782; --card: #1c2126;
  --mark: #6aa7ff;
  --b1: #1a2f22; --b2: #1d452e; --b3: #453c16; --b4: #5d4312; --b5: #703f1a;
  --b6: #803026; --b7: #8d2347; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: .2rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .2rem; }
p { margin: .2rem 0 .5rem; }
.soft { color: var(--soft); font-size: .9rem; }
.totals { display: flex; flex-wrap: wrap; gap: .6rem; margin: .8rem 0; }
.totals div { display: flex; flex-direction: column-reverse;
  background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .4rem .8rem; }
.totals dd { margin: 0; font-size: 1.15rem; font-weight: bold; }
.totals dt { font-size: .9rem; }
.b0, .b1, .b2, .b3, .b4, .b5, .b6, .b7 { border-radius: .2rem; }
.b1 { background: var(--b1); } .b2 { background: var(--b2); }
.b3 { background: var(--b3); } .b4 { background: var(--b4); }
.b5 { background: var(--b5); } .b6 { background: var(--b6); }
.b7 { background: var(--b7); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
#classes { width: 100%; font-size: .92rem; }
#classes th, #classes td { padding: .1rem .6rem .1rem 0; text-align: right;
  font-weight: normal; white-space: nowrap; }
#classes thead th { color: var(--soft); white-space: normal;
  vertical-align: bottom; }
#classes th.wide, #classes td.wide { width: 62%; text-align: left;
  padding-right: 0; }
#classes tfoot td.wide { white-space: normal; }
#classes tfoot { border-top: 1px solid var(--line); }
#classes tbody th span { display: block; padding: 0 .4rem;
  border: 1px solid var(--edge); }
#classes .track { display: flex; align-items: center; gap: .5rem; }
#classes .track span { height: 1.1rem; border: 1px solid var(--edge);
  flex: none; }
.plot { display: grid; grid-template-columns: auto 1fr; }
.plot svg { display: block; width: 100%; height: 8rem; background: var(--card);
  border: 1px solid var(--line); border-width: 0 0 1px 1px; }
.plot .title { grid-column: 1 / 3; padding-bottom: .4rem; font-size: .8rem;
  color: var(--soft); }
.plot .y { position: relative; width: 2.4rem; }
.plot .x { position: relative; height: 1.4rem; grid-column: 2; }
.plot .y span, .plot .x span { position: absolute; color: var(--soft);
  font-size: .8rem; line-height: 1; white-space: nowrap; }
.plot .y span { right: .35rem; transform: translateY(50%); }
.plot .x span { top: .35rem; transform: translateX(-50%); }
.plot .x span:first-child { transform: none; }
.plot .x span:last-child { transform: translateX(-100%); }
.plot line { stroke: var(--line); vector-effect: non-scaling-stroke; }
.plot line.mean { stroke: var(--ink); stroke-dasharray: 5 4; }
.plot rect { fill: var(--mark); cursor: pointer; }
.plot rect:hover { fill: var(--ink); }
#text { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; padding: .8rem;
  tab-size: 8; unicode-bidi: plaintext;
  font: 15px/1.65 ui-monospace, monospace; }
#text div { content-visibility: auto; contain-intrinsic-size: auto 30rem;
  unicode-bidi: plaintext; }
#text i { font-style: normal; }
#text i[data-mark]::before { content: attr(data-mark); opacity: .75; }
#text .part { display: inline-block; width: .45em; height: 1em;
  vertical-align: text-bottom; margin-right: 1px; }
#text span:hover, #text .chosen { outline: 2px solid var(--mark);
  outline-offset: -1px; }
#text .current { outline: 3px solid var(--ink); outline-offset: 0; }
#text:focus-visible { outline: 2px solid var(--mark); }
ol { padding-left: 1.6rem; margin: .3rem 0; }
li { margin: .35rem 0; overflow-wrap: anywhere; }
li a { color: inherit; text-decoration-color: var(--mark); }
li .soft { display: block; }
.two { display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); }
#tip { position: fixed; z-index: 2; display: none; max-width: min(24rem, 94vw);
  background: var(--card); color: var(--ink); border: 1px solid var(--mark);
  border-radius: .5rem; padding: .5rem .7rem; font-size: .88rem;
  box-shadow: 0 4px 18px rgb(0 0 0 / .25); pointer-events: none; }
#tip code { font: .95em ui-monospace, monospace; overflow-wrap: anywhere;
  unicode-bidi: isolate; }
#tip caption { text-align: left; white-space: nowrap; color: var(--soft);
  padding-top: .3rem; }
#tip td { padding: 0 .6rem 0 0; vertical-align: top; }
#tip tr.right { font-weight: bold; }
[hidden] { display: none !important; }
@media (max-width: 30rem) { #classes { font-size: .85rem; }
  #classes th, #classes td { padding-right: .4rem; }
  #classes th.wide, #classes td.wide { width: 45%; } }
@media print { body { max-width: none; font-size: 11pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  #text { font-size: 9.5pt; }
  #text div { content-visibility: visible; }
  #tip, #hint { display: none !important; }
  section, li { break-inside: avoid; } #reader { break-inside: auto; } }
)css";

}  // namespace llma::cli
