# SPDX-License-Identifier: Apache-2.0
"""Where a chart's parts stand: from values to coordinates of a small SVG."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trireel_client.load_test.show.report.charts import Chart, Line, Point

WIDTH_PX, HEIGHT_PX = 640, 300
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 58, 14, 30, 44
Y_TICKS = 5
X_TICKS = 9
BAR_SHARE = 0.6
BAR_MAX_PX = 80.0
FEW_POINTS = 40  # a line of more has no dots


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at_px: float
    """Along the axis."""
    label: str
    """Its number or name."""


@dataclass(frozen=True)
class Dot:
    """A value's place, with what it says when pointed at."""

    x_px: float
    """From the left."""
    y_px: float
    """From the top."""
    label: str
    """The value in words."""


@dataclass(frozen=True)
class Box:
    """A bar or a band."""

    x_px: float
    """Left edge."""
    y_px: float
    """Upper edge."""
    width_px: float
    """Its width."""
    height_px: float
    """Its height."""
    label: str
    """What it says when pointed at."""


@dataclass(frozen=True)
class Mark:
    """One line, or the bars of one colour, as it is drawn."""

    name: str
    """As the legend has it."""
    path: str
    """SVG path; empty for bars."""
    dots: tuple[Dot, ...]
    """On the line; none where they would hide it."""
    bars: tuple[Box, ...]
    """Instead of the line."""


@dataclass(frozen=True)
class Drawing:
    """A chart, laid out."""

    chart: Chart
    """What it shows."""
    x_ticks: tuple[Tick, ...]
    """Along the bottom."""
    y_ticks: tuple[Tick, ...]
    """Along the left, the lowest first."""
    marks: tuple[Mark, ...]
    """In the legend's order."""
    bands: tuple[Box, ...]
    """In the background."""
    width_px: int = WIDTH_PX
    """Of the whole."""
    height_px: int = HEIGHT_PX
    """Of the whole."""
    left_px: int = LEFT_PX
    """Where the values begin."""
    right_px: int = WIDTH_PX - RIGHT_PX
    """Where they end."""
    bottom_px: int = HEIGHT_PX - BOTTOM_PX
    """Where 0 is."""


def draw(chart: Chart) -> Drawing:
    """Lay a chart out; it must have values."""
    scale = _Scale(chart)
    marks = _bars(chart, scale) if chart.stacked else _lines(chart, scale)
    bands = (
        Box(
            scale.x(band.begin_seconds),
            TOP_PX,
            max(0.0, scale.x(band.end_seconds) - scale.x(band.begin_seconds)),
            HEIGHT_PX - TOP_PX - BOTTOM_PX,
            band.name,
        )
        for band in chart.bands
    )
    y_ticks = (Tick(scale.y(value), label(value)) for value in scale.y_ticks)
    return Drawing(chart, tuple(scale.x_ticks()), tuple(y_ticks), tuple(marks), tuple(bands))


def nice_ticks(largest: float, about: int) -> tuple[float, ...]:
    """Return round numbers from 0 to at least `largest`, about so many."""
    if largest <= 0:
        return (0.0, 1.0)
    rough = largest / (about - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    count = math.ceil(largest / step - 1e-9)
    return tuple(step * index for index in range(count + 1))


def label(value: float) -> str:
    """Write a tick's number, short."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


class _Scale:
    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        xs = [x for line in chart.lines for x, _ in line.points]
        self._count = len(chart.x_names)
        self._x_max = max([*xs, *(band.end_seconds for band in chart.bands)], default=1.0) or 1.0
        self.y_ticks = nice_ticks(_largest(chart), Y_TICKS)

    def x(self, value: float) -> float:
        width = WIDTH_PX - LEFT_PX - RIGHT_PX
        share = (value + 0.5) / self._count if self._count else value / self._x_max
        return round(LEFT_PX + share * width, 1)

    def y(self, value: float) -> float:
        height = HEIGHT_PX - TOP_PX - BOTTOM_PX
        return round(HEIGHT_PX - BOTTOM_PX - value / self.y_ticks[-1] * height, 1)

    @property
    def bar_px(self) -> float:
        share_px = BAR_SHARE * (WIDTH_PX - LEFT_PX - RIGHT_PX) / max(1, self._count)
        return min(BAR_MAX_PX, share_px)

    def x_ticks(self) -> Iterator[Tick]:
        if self._count:
            for index, name in enumerate(self._chart.x_names):
                yield Tick(self.x(index), name)
            return
        for value in nice_ticks(self._x_max, X_TICKS):
            if value <= self._x_max:
                yield Tick(self.x(value), label(value))


def _largest(chart: Chart) -> float:
    if not chart.stacked:
        return max(y for line in chart.lines for _, y in line.points if y is not None)
    sums: dict[float, float] = {}
    for line in chart.lines:
        for x, y in line.points:
            sums[x] = sums.get(x, 0.0) + (y or 0.0)
    return max(sums.values())


def _says(chart: Chart, line: Line, point: Point) -> str:
    x, y = point
    return f"{line.name}, {chart.x_label} {chart.x_name(x)}: {y or 0.0:,.4g} {chart.y_label}"


def _lines(chart: Chart, scale: _Scale) -> Iterator[Mark]:
    for line in chart.lines:
        dots: tuple[Dot, ...] = ()
        if len(line.points) <= FEW_POINTS:
            dots = tuple(
                Dot(scale.x(x), scale.y(y), _says(chart, line, (x, y)))
                for x, y in line.points
                if y is not None
            )
        yield Mark(line.name, _path(line.points, scale), dots, ())


def _path(points: Sequence[Point], scale: _Scale) -> str:
    parts = []
    pen = "M"
    for x, y in points:
        if y is None:
            pen = "M"
            continue
        parts.append(f"{pen}{scale.x(x)} {scale.y(y)}")
        pen = "L"
    return "".join(parts)


def _bars(chart: Chart, scale: _Scale) -> Iterator[Mark]:
    below: dict[float, float] = {}
    for line in chart.lines:
        bars = []
        for x, y in line.points:
            bottom = below.get(x, 0.0)
            top = below[x] = bottom + (y or 0.0)
            height = scale.y(bottom) - scale.y(top)
            left = scale.x(x) - scale.bar_px / 2
            says = _says(chart, line, (x, y))
            bars.append(
                Box(round(left, 1), scale.y(top), round(scale.bar_px, 1), round(height, 1), says)
            )
        yield Mark(line.name, "", (), tuple(bars))
