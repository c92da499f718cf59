# SPDX-License-Identifier: Apache-2.0
"""What a report draws: lines and bars over levels or over time, without any geometry."""

from collections.abc import Sequence
from dataclasses import dataclass

from trireel_client.load_test.show.tables import Table, number

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Line:
    """One line, or the bars of one colour."""

    name: str
    """As the legend has it."""
    points: tuple[Point, ...]
    """x and y; a line is broken where y is None."""


@dataclass(frozen=True)
class Band:
    """A stretch of time with a name."""

    name: str
    """What it is."""
    begin_seconds: float
    """Since the test's beginning."""
    end_seconds: float
    """The same."""


@dataclass(frozen=True)
class Chart:
    """One chart, and what stands behind it."""

    title: str
    """A few words."""
    description: str
    """A sentence, for whoever cannot see it and whoever wonders."""
    x_label: str
    """With its unit."""
    y_label: str
    """With its unit."""
    lines: tuple[Line, ...]
    """All with the same x values where they are bars."""
    x_names: tuple[str, ...] = ()
    """Names of x = 0, 1, 2 ...; none where x is a number."""
    stacked: bool = False
    """Bars upon each other instead of lines."""
    bands: tuple[Band, ...] = ()
    """Stretches of time, in the background."""

    @property
    def has_values(self) -> bool:
        """Tell whether there is anything to draw."""
        return any(y is not None for line in self.lines for _, y in line.points)

    @property
    def table(self) -> Table:
        """Return its numbers."""
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
        """Return what to call an x value."""
        return self.x_names[int(x)] if self.x_names else f"{x:.1f}"


def lines_of(names_and_values: Sequence[tuple[str, Sequence[Point]]]) -> tuple[Line, ...]:
    """Return lines that have any value."""
    return tuple(
        Line(name, tuple(points))
        for name, points in names_and_values
        if any(y is not None for _, y in points)
    )
