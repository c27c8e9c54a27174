// SPDX-License-Identifier: Apache-2.0
#include "cli/inspection_parts.h"

namespace llma::cli {

const std::string_view kInspectionBody = R"html(
<h1 id="name"></h1>
<p class="soft" id="how"></p>
<div class="totals" id="totals"></div>
<h2>Over the file</h2>
<p class="soft">Bits per byte from the start to the end. Select a bar to go
there.</p>
<svg id="over" role="img" aria-label="Bits per byte over the file"
 preserveAspectRatio="none"></svg>
<h2>By cost</h2>
<p class="soft" id="classes-note"></p>
<svg id="classes" role="img" aria-label="Share of all bits by cost of a piece"
 preserveAspectRatio="none"></svg>
<p class="legend" id="legend"></p>
<div class="two">
<div><h2>Hardest passages</h2><ol id="dearest"></ol></div>
<div><h2>Easiest passages</h2><ol id="cheapest"></ol></div>
</div>
<h2>The text</h2>
<p class="soft">Each piece by the bits that it cost. Point at one, or tap it, to
see what the model thought likely there.</p>
<div id="text"></div>
<div id="tip" role="status"></div>
<noscript>This page needs JavaScript to draw its data.</noscript>
)html";

}  // namespace llma::cli
