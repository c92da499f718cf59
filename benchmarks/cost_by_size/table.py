# SPDX-License-Identifier: Apache-2.0
"""Medians, slopes, and the page of the results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.common.pages import bullets, document, number, paragraph, processors, table
from benchmarks.common.record import Raw
from benchmarks.cost_by_size.points import Point, fit, median

COMMAND = "python -m benchmarks.cost_by_size --output benchmarks/cost_by_size/results.json"
SHORT_SECONDS, LONG_SECONDS = 600, 7200
MOST_TAGS = 100_000
MOST_MS = 20.0
"""Goal for a chunk with a bank of MOST_TAGS."""


@dataclass(frozen=True)
class Slope:
    """The unit that a slope is printed in."""

    unit: str
    factor: float
    """Factor from the axis' own units to this one."""


@dataclass(frozen=True)
class Axis:
    """The heads and units of an axis."""

    name: str
    title: str
    about: str
    size: str
    """Head of the column of sizes."""
    work: str
    """Unit of work that the time is for."""
    time: Slope
    memory: Slope


AXES = (
    Axis(
        "length",
        "Length of a video",
        "One request for the whole video, 384x384 H.264, chunks of 10 s and 16 frames, default"
        " settings, a fresh server for each length.",
        "length",
        "the video",
        Slope("ms a second of video", 1e3),
        Slope("MiB an hour of video", 3600.0),
    ),
    Axis(
        "resolution",
        "Resolution",
        "30 s of H.264 at 30 frames/s, a keyframe every 2 s, three B-frames, one request.",
        "resolution",
        "the video",
        Slope("ms a megapixel of the picture, for each second of video", 1e3 / 30),
        Slope("MiB a megapixel", 1.0),
    ),
    Axis(
        "frames",
        "Frames sampled from a chunk",
        "60 s of 384x384 H.264 in chunks of 10 s. Up to 16 frames most of the time is decoding;"
        " beyond, it is the tower.",
        "frames a chunk",
        "a chunk",
        Slope("ms a frame", 1e3),
        Slope("MiB a frame", 1.0),
    ),
    Axis(
        "tags",
        "Tags of the text bank",
        "A chunk of 16 frames: the five best tags of the chunk and of the video so far, caption,"
        " cuts. Alone: in a process with the settings of a model's process, one thread. Served:"
        " from a client's call to its answer; loading is then the start of the whole server.",
        "tags",
        "a chunk",
        Slope("ms per 1,000 tags", 1e6),
        Slope("MiB per 1,000 tags", 1e3),
    ),
    Axis(
        "sequences",
        "Live sequences",
        "A number of videos are open in one decoder and get a chunk each in turn, one call at a"
        " time.",
        "open sequences",
        "a chunk",
        Slope("ms per 1,000 sequences", 1e6),
        Slope("KiB a sequence", 1024.0),
    ),
)


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    sections = (_section(axis, report[axis.name]) for axis in AXES if axis.name in report)
    return document(
        "# How time and memory grow",
        paragraph(
            f"`{COMMAND}`. Times are medians of three rounds. Memory is the largest PSS that was"
            " read, in MiB. It is that of all the server's processes: for whole videos read once a"
            " second, for chunks served one by one read once, after them. For a decoder alone it is"
            " that of its process, read after each round. The exponent is the slope of a straight"
            " line through the logarithms (0 flat, 1 linear), the rate that of a line through the"
            " values themselves; both by least squares."
        ),
        bullets(_goals(report)),
        *(block for section in sections for block in section),
    )


def _goals(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the results for the longest video and for the largest bank, with their goals."""
    by_length = {point.size: point for point in points(report.get("length"))}
    short, long = by_length.get(SHORT_SECONDS), by_length.get(LONG_SECONDS)
    if short is not None and long is not None:
        rates = [median(point.seconds) / point.size for point in (long, short)]
        yield (
            f"Two hours of video beside ten minutes: {rates[0] / rates[1]:.2f} x the time a minute"
            f" of video, {long.pss_mib / short.pss_mib:.2f} x the memory (wanted: 1, flat)."
        )
    found = [
        f"{number(median(point.seconds) * 1e3)} ms {point.series}"
        for point in points(report.get("tags"))
        if point.size == MOST_TAGS
    ]
    if found:
        wanted = f"wanted: under {MOST_MS:g} ms"
        yield f"A chunk against {MOST_TAGS:,} tags ({wanted}): {'; '.join(found)}."


def _section(axis: Axis, measured: Mapping[str, Any]) -> Iterator[str]:
    machine = measured["machine"]
    yield f"## {axis.title}"
    yield paragraph(f"{axis.about} {processors(machine)}, commit {machine['commit']}.")
    found = points(measured)
    for series in dict.fromkeys(point.series for point in found):
        own = [point for point in found if point.series == series]
        yield f"{series[0].upper()}{series[1:]}:"
        yield _table(axis, own)
        yield f"{_slopes(axis, own)}."


def _table(axis: Axis, found: list[Point]) -> str:
    heads = [axis.size, f"ms for {axis.work}"]
    heads += ["CPU ms"] * any(point.cpu_seconds for point in found) + ["memory, MiB"]
    heads += ["loading, s"] * any(point.load_seconds for point in found)
    return table(" | ".join(heads), map(_row, found))


def _row(point: Point) -> list[str]:
    cells = [point.label, number(median(point.seconds) * 1e3)]
    cells += [number(median(point.cpu_seconds) * 1e3)] if point.cpu_seconds else []
    cells += [f"{point.pss_mib:.0f}"]
    return cells + ([number(point.load_seconds)] if point.load_seconds else [])


def _slopes(axis: Axis, found: list[Point]) -> str:
    sizes = [point.size for point in found]
    time = fit(sizes, [median(point.seconds) for point in found])
    memory = fit(sizes, [point.pss_mib for point in found])
    return "; ".join(
        f"{name}: exponent {fit.exponent:.2f}, {number(fit.slope * slope.factor)} {slope.unit}"
        for name, fit, slope in (("Time", time, axis.time), ("memory", memory, axis.memory))
    )


def points(measured: Mapping[str, Any] | None) -> list[Point]:
    """Return the points of a measured axis; none for None."""
    return [Point(**raw) for raw in measured["points"]] if measured else []
