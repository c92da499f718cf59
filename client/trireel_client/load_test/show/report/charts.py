# SPDX-License-Identifier: Apache-2.0
"""The content of a report's charts: lines and bars over levels or over time."""

from collections.abc import Sequence
from dataclasses import dataclass

from trireel_client.load_test.show.tables import Table, number

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Line:
    """One line, or the bars of one colour."""

    name: str
    """Name in the legend."""
    points: tuple[Point, ...]
    """Values of x and y; the line has a gap if y is None."""


@dataclass(frozen=True)
class Band:
    """A part of the time axis with a name."""

    name: str
    """Name of the band."""
    begin_seconds: float
    """Begin of the band, in seconds since the test's beginning."""
    end_seconds: float
    """End of the band, in seconds since the test's beginning."""


@dataclass(frozen=True)
class Chart:
    """One chart."""

    title: str
    """Title of a few words."""
    description: str
    """Explanation in a sentence, also for readers who do not see the chart."""
    x_label: str
    """Name of the x axis, with its unit."""
    y_label: str
    """Unit of the y axis."""
    lines: tuple[Line, ...]
    """Lines of the chart; bars have the same x values in each."""
    x_names: tuple[str, ...] = ()
    """Names of x = 0, 1, 2 ...; empty if x is a number."""
    stacked: bool = False
    """True for stacked bars instead of lines."""
    bands: tuple[Band, ...] = ()
    """Parts of the time axis to shade."""

    @property
    def has_values(self) -> bool:
        """True if there is a value to draw."""
        return any(y is not None for line in self.lines for _, y in line.points)

    @property
    def table(self) -> Table:
        """The numbers of the chart as a table."""
        by_x: dict[float, dict[str, float | None]] = {}
        for line in self.lines:
            for x, y in line.points:
                by_x.setdefault(x, {})[line.name] = y
        rows = tuple(
            (self.x_name(x), *(number(values.get(line.name)) for line in self.lines))
            for x, values in sorted(by_x.items())
        )
        columns = (self.x_label, *(line.name for line in self.lines))
        return Table(f"{self.title} ({self.y_label})", columns, rows)

    def x_name(self, x: float) -> str:
        """Return the name of an x value."""
        return self.x_names[int(x)] if self.x_names else f"{x:.1f}"


def lines_of(names_and_values: Sequence[tuple[str, Sequence[Point]]]) -> tuple[Line, ...]:
    """Return lines that have any value."""
    return tuple(
        Line(name, tuple(points))
        for name, points in names_and_values
        if any(y is not None for _, y in points)
    )
