# SPDX-License-Identifier: Apache-2.0
"""Draws panels of labelled bars as SVG, for bench/ratio.py.

There is no background and every colour has a contrast of at least 3 : 1 with
both white and black, so that the picture can be read on light and dark pages.
"""

from xml.sax.saxutils import escape

TEXT, OTHERS, OURS = "#70767c", "#8b949e", "#2f81f7"
COLUMNS = 3
PANEL_WIDTH, NAME_WIDTH, BAR_WIDTH = 320, 112, 150  # the rest is for the figure
ROW_HEIGHT, BAR_HEIGHT = 18, 12
TITLE_HEIGHT, MARGIN = 28, 16


def text(x, y, content, extra=""):
    return f'<text x="{x}" y="{y}"{extra}>{escape(content)}</text>'


def panel(left, top, title, bars):
    """One file: its title, and a bar for each compressor, on a scale of its own."""
    longest = max(value for _, value in bars)
    lines = [text(left, top + 14, title, ' font-weight="bold"')]
    for index, (name, value) in enumerate(bars):
        y = top + TITLE_HEIGHT + index * ROW_HEIGHT
        width = max(1, round(BAR_WIDTH * value / longest))
        colour = OURS if name.startswith("llma") else OTHERS
        bar_left = left + NAME_WIDTH
        lines += [
            text(bar_left - 6, y + 10, name, ' text-anchor="end"'),
            f'<rect x="{bar_left}" y="{y}" width="{width}" '
            f'height="{BAR_HEIGHT}" fill="{colour}"/>',
            text(bar_left + width + 5, y + 10, f"{value:.2f}"),
        ]
    return lines


def draw(title, groups):
    """groups: {panel title: [(name, value)]}, values above 0."""
    num_bars = max((len(bars) for bars in groups.values()), default=0)
    panel_height = TITLE_HEIGHT + num_bars * ROW_HEIGHT + MARGIN
    columns = max(1, min(COLUMNS, len(groups)))
    rows = -(-len(groups) // columns)
    top = MARGIN + TITLE_HEIGHT
    width = MARGIN + columns * PANEL_WIDTH
    height = top + rows * panel_height
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="{TEXT}">',
        "<!-- SPDX-License-Identifier: Apache-2.0; drawn by bench/ratio.py -->",
        f"<title>{escape(title)}</title>",
        text(MARGIN, MARGIN + 8, title, ' font-size="14"'),
    ]
    for index, (panel_title, bars) in enumerate(groups.items()):
        row, column = divmod(index, columns)
        lines += panel(MARGIN + column * PANEL_WIDTH, top + row * panel_height,
                       panel_title, bars)
    return "\n".join(lines + ["</svg>", ""])
