// SPDX-License-Identifier: Apache-2.0
// Light and dark by what the reader's system asks for. b0 to b7 are the colours
// of pieces by their bits.
#include "cli/inspection_parts.h"

namespace llma::cli {

const std::string_view kInspectionStyle = R"css(
:root { color-scheme: light dark; --page: #fcfcfb; --ink: #1d2126;
  --soft: #5d6672; --line: #d9dde2; --card: #ffffff; --mark: #1f6feb;
  --b1: #eef6ee; --b2: #d8eed9; --b3: #fdf1c4; --b4: #fbd99a; --b5: #f7b27f;
  --b6: #f08a76; --b7: #e0607e; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --ink: #e4e7ea;
  --soft: #98a2ad; --line: #333a42; --card: #1c2126; --mark: #6aa7ff;
  --b1: #1a2a20; --b2: #1d3b2a; --b3: #453c16; --b4: #5d4312; --b5: #703f1a;
  --b6: #803026; --b7: #8d2347; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: .2rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p { margin: .3rem 0; }
.soft { color: var(--soft); font-size: .9rem; }
.totals { display: flex; flex-wrap: wrap; gap: .6rem; margin: .8rem 0; }
.totals div { background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .4rem .8rem; }
.totals b { display: block; font-size: 1.15rem; }
svg { display: block; width: 100%; height: 7rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; }
#over rect { cursor: pointer; }
rect.bar { fill: var(--mark); }
.legend span, .b1, .b2, .b3, .b4, .b5, .b6, .b7 { border-radius: .2rem; }
.legend span { padding: 0 .45rem; margin-right: .25rem; white-space: nowrap;
  border: 1px solid var(--line); }
.b1 { background: var(--b1); } .b2 { background: var(--b2); }
.b3 { background: var(--b3); } .b4 { background: var(--b4); }
.b5 { background: var(--b5); } .b6 { background: var(--b6); }
.b7 { background: var(--b7); }
#text { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; padding: .8rem;
  font: 15px/1.65 ui-monospace, monospace; }
#text div { content-visibility: auto; contain-intrinsic-size: auto 30rem; }
#text span:hover, #text span:focus, #text .chosen { outline: 2px solid
  var(--mark); outline-offset: -1px; }
ol { padding-left: 1.6rem; margin: .3rem 0; }
li { margin: .25rem 0; overflow-wrap: anywhere; }
li a { color: inherit; text-decoration-color: var(--mark); }
.two { display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
#tip { position: fixed; z-index: 2; display: none; max-width: min(22rem, 92vw);
  background: var(--card); color: var(--ink); border: 1px solid var(--mark);
  border-radius: .5rem; padding: .5rem .7rem; font-size: .88rem;
  box-shadow: 0 4px 18px rgb(0 0 0 / .25); pointer-events: none; }
#tip code { font: .95em ui-monospace, monospace; overflow-wrap: anywhere; }
#tip table { border-collapse: collapse; margin-top: .3rem; }
#tip td { padding: 0 .6rem 0 0; vertical-align: top; }
)css";

}  // namespace llma::cli
