# SPDX-License-Identifier: Apache-2.0
"""Charts drawn by matplotlib, as SVG that becomes part of the page.

The page decides the colours, because it has a light and a dark scheme: matplotlib draws with
placeholders, which are replaced by the page's CSS variables.
"""

import io
import math
import re
from typing import Any
from xml.etree import ElementTree

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator

from trireel_client.load_test.show.report.charts import Chart, Line

SIZE_INCHES = (6.4, 3.4)
BAR_WIDTH = 0.6  # of the space of a level; a drawing with few levels has narrower bars
NARROW_BAR_WIDTH = 0.2
FEW_POINTS = 40  # a longer line has no markers: they would hide it
COLUMNS = 4  # of the legend
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"

# Placeholders and the page's variables. No colour of matplotlib's own is among them.
INK, RULE, BAND = "#fe0100", "#fe0101", "#fe0102"
COLOURS = tuple(f"#fe00{index:02x}" for index in range(8))
VARIABLES = {
    INK: "var(--faint)",
    RULE: "var(--rule)",
    BAND: "var(--band)",
    **{colour: f"var(--c{index})" for index, colour in enumerate(COLOURS)},
}
# Lines differ by their dashes too, for readers who do not see the colours.
DASHES = (
    "solid",
    (0, (7, 3)),
    (0, (2, 3)),
    (0, (9, 3, 2, 3)),
    (0, (4, 4)),
    (0, (12, 4)),
    (0, (1, 4)),
    (0, (6, 2, 1, 2, 1, 2)),
)
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: for search, screen readers and the page's font
    "svg.hashsalt": "trireel",  # the same chart gives the same file
    "svg.id": None,
    "text.parse_math": False,  # a model's name may hold a dollar sign
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.formatter.useoffset": False,
    "figure.facecolor": "none",
    "grid.color": RULE,
    "xtick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.color": RULE,
    "ytick.labelcolor": INK,
    "lines.scale_dashes": False,
    "font.size": 9,
}


def svg_of(chart: Chart, name: str) -> str:
    """Return a chart as an `<svg>` element for a page of HTML.

    Args:
        chart: what to draw; it must have values.
        name: begins every id in the drawing, so that several drawings can share a page.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        handles = _bars(axes, chart) if chart.stacked else _lines(axes, chart)
        _scales(axes, chart)
        _bands(axes, chart)
        # matplotlib leaves out a label that begins with an underscore.
        labels = [re.sub("^_", "\N{WORD JOINER}_", line.name) for line in chart.lines]
        figure.legend(handles, labels, loc="outside lower left", ncols=COLUMNS, frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True)
    return _for_page(text.getvalue(), chart, name)


def point_text(chart: Chart, line: Line, x: float, y: float | None) -> str:
    """Return one value in words: the text that appears under the pointer."""
    return f"{line.name}, {chart.x_label} {chart.x_name(x)}: {y or 0.0:,.4g} {chart.y_label}"


def _lines(axes: Axes, chart: Chart) -> list[Line2D]:
    drawn = []
    for index, line in enumerate(chart.lines):
        drawn += axes.plot(
            [x for x, _ in line.points],
            [math.nan if y is None else y for _, y in line.points],
            color=COLOURS[index % len(COLOURS)],
            linestyle=DASHES[index % len(DASHES)],
            linewidth=1.5,
            marker="o" if len(line.points) <= FEW_POINTS else None,
            markersize=5,
            clip_on=False,
            gid=f"line-{index}",
        )
    return drawn


def _bars(axes: Axes, chart: Chart) -> list[Patch]:
    drawn = []
    heights: dict[float, float] = {}
    width = min(BAR_WIDTH, NARROW_BAR_WIDTH * len(chart.x_names))
    for index, line in enumerate(chart.lines):
        colour = COLOURS[index % len(COLOURS)]
        for number, (x, y) in enumerate(line.points):
            below = heights.get(x, 0.0)
            heights[x] = below + (y or 0.0)
            (bar,) = axes.bar(x, y or 0.0, width, below, color=colour, clip_on=False)
            bar.set_gid(f"bar-{index}-{number}")
        drawn.append(Patch(color=colour))
    return drawn


def _scales(axes: Axes, chart: Chart) -> None:
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.grid(axis="y", linewidth=0.7, clip_on=False)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.set_ylim(bottom=0)
    if chart.x_names:
        axes.xaxis.set_major_locator(FixedLocator(list(range(len(chart.x_names)))))
        axes.set_xticklabels(chart.x_names)
        axes.set_xlim(-0.5, len(chart.x_names) - 0.5)
    else:
        ends = [x for line in chart.lines for x, _ in line.points]
        axes.set_xlim(0, max([*ends, *(band.end_seconds for band in chart.bands)]) or 1.0)


def _bands(axes: Axes, chart: Chart) -> None:
    for index, band in enumerate(chart.bands):
        span = axes.axvspan(
            band.begin_seconds, band.end_seconds, color=BAND, linewidth=0, zorder=0, clip_on=False
        )
        span.set_gid(f"band-{index}")
        axes.annotate(
            band.name,
            ((band.begin_seconds + band.end_seconds) / 2, 1),
            (0, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            horizontalalignment="center",
            fontsize="small",
        )


def _for_page(text: str, chart: Chart, name: str) -> str:
    """Return matplotlib's SVG with the page's colours and font, with tooltips and unique ids."""
    root = ElementTree.fromstring(text)
    # Who made it and when, and a style that would hold for the whole page.
    for element in (*root.findall(f"{SVG}metadata"), *root.findall(f"{SVG}defs[{SVG}style]")):
        root.remove(element)
    _add_tooltips(root, chart)
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        for key, value in list(element.items()):
            del element.attrib[key]
            if key == "id":
                element.set(key, f"{name}-{value}")
            elif key == f"{XLINK}href":
                element.set("href", value.replace("#", f"#{name}-", 1))
            else:
                element.set(key, _page_style(value))
    _describe(root, chart, name)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def _describe(root: ElementTree.Element, chart: Chart, name: str) -> None:
    """Give the drawing its title and its description, for readers who do not see it."""
    view_box = root.get("viewBox", "")
    root.attrib.clear()
    root.set("class", "chart")
    root.set("viewBox", view_box)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    title = ElementTree.Element("title", id=f"{name}-title")
    title.text = chart.title
    description = ElementTree.Element("desc", id=f"{name}-description")
    description.text = f"{chart.description} The numbers are in the table below."
    root[:0] = [title, description]


def _add_tooltips(root: ElementTree.Element, chart: Chart) -> None:
    drawn = {element.get("id"): element for element in root.iter()}
    for index, line in enumerate(chart.lines):
        if chart.stacked:
            for number, (x, y) in enumerate(line.points):
                _add_title(drawn[f"bar-{index}-{number}"], point_text(chart, line, x, y))
            continue
        # A marker for each known point, in their order; a long line has no markers.
        markers = drawn[f"line-{index}"].iter(f"{SVG}use")
        known = ((x, y) for x, y in line.points if y is not None)
        for marker, (x, y) in zip(markers, known, strict=False):
            _add_title(marker, point_text(chart, line, x, y))


def _add_title(shape: ElementTree.Element, text: str) -> None:
    title = ElementTree.Element("title")
    title.text = text
    shape.insert(0, title)


def _page_style(value: str) -> str:
    value = re.sub(r"font-family: [^;]*; ?", "", value)
    return re.sub("#fe[0-9a-f]{4}", lambda found: VARIABLES[found[0]], value)
