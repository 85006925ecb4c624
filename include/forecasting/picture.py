"""A figure as something to put into a page: SVG that follows the reader's light or dark scheme."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, NamedTuple

from include.forecasting import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What the colours of plots.py become where the page is dark; each has 4.5:1 or more against the page's own ground,
# bands excepted, which are no text.
DARK: dict[str, str] = {
    plots.INK: "#e6ebf0",
    plots.GRID: "#46525f",
    plots.BAND_80: "#2f5f8a",
    plots.BAND_95: "#213c55",
    **dict(zip(plots.SERIES, ("#7cc0ff", "#ffab70", "#8fd18a", "#d0a3ee", "#e0c04a"), strict=True)),
}


class Picture(NamedTuple):
    """What an `img` needs: a data URI, and the text for those who do not see it."""

    source: str
    alternative: str


def picture(figure: Figure) -> Picture:
    """The figure as a data URI; equal figures give equal bytes. Text stays text, in the reader's own font."""
    svg = svg_of(figure)
    return Picture(f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}", str(figure.get_label()))


def svg_of(figure: Figure) -> str:
    """SVG whose colours are variables that its own style sheet sets by `prefers-color-scheme`."""
    import matplotlib

    written = io.StringIO()
    # A salt makes the ids the same every time; inside an img they meet no other figure's.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "figure", "font.family": "sans-serif"}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]  # without a document type, whose address nobody has to ask for
    for light in DARK:
        svg = svg.replace(light, f"var(--c{light[1:]})")
    head, mark, rest = svg.partition("<defs>")
    return f"{head}<style>{_rules()}</style>{mark}{rest}"


def _rules() -> str:
    light = "".join(f"--c{name[1:]}:{name};" for name in DARK)
    dark = "".join(f"--c{name[1:]}:{colour};" for name, colour in DARK.items())
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
