// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/inspection_parts.h"

namespace llma::cli {

// "unit" and "units" become "token" or "byte", "tokens" or "bytes".
const std::string_view kInspectionBody = R"html(
<main>
<h1 id="name"></h1>
<p class="soft" id="how"></p>
<dl class="totals" id="totals"></dl>
<section id="shares">
<h2>Easy and hard <span class="units"></span></h2>
<p class="soft">An unlikely <span class="unit"></span> costs many bits, a
likely one few. The colours are those of the text below.</p>
<table id="classes">
<thead><tr><th scope="col">bits</th><th scope="col" class="units"></th>
<th scope="col">of all <span class="units"></span></th>
<th scope="col" class="wide">of all bits</th></tr></thead>
<tbody></tbody><tfoot></tfoot>
</table>
</section>
<section id="course">
<h2>From start to end</h2>
<p class="soft">What each part of the file costs; the dashed line is the mean.
Select a bar to see its text.</p>
<div class="plot"><div class="title" aria-hidden="true">bits per byte</div>
<div class="y" aria-hidden="true"></div>
<svg role="img" preserveAspectRatio="none"></svg>
<div class="x" aria-hidden="true"></div></div>
</section>
<div class="two" id="passages">
<section><h2>Hardest passages</h2><ol id="dearest"></ol></section>
<section><h2>Easiest passages</h2><ol id="cheapest"></ol></section>
</div>
<section id="reader">
<h2>The text</h2>
<p class="soft" id="hint">Point at a <span class="unit"></span>, or tap it, to
see its bits and what the model expected. With the keyboard: Tab to the text,
then the arrow keys.</p>
<div id="text" lang="" tabindex="0" role="group" aria-label="The text"
 aria-describedby="hint"></div>
</section>
</main>
<div id="tip" role="status"></div>
<noscript>This page needs JavaScript to draw its data.</noscript>
)html";

}  // namespace llma::cli
