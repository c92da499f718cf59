# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.cost_by_size.table"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.words import number, processors
from benchmarks.cost_by_size.fit import fit
from benchmarks.cost_by_size.points import Point, median

FOLDER = Path(__file__).parent
COMMAND = "python -m benchmarks.cost_by_size --output benchmarks/cost_by_size/results.json"
SHORT_SECONDS, LONG_SECONDS = 600, 7200
MOST_TAGS = 100_000
MOST_MS = 20.0
"""That a chunk may take where the bank has so many tags."""


@dataclass(frozen=True)
class Slope:
    """The unit that a slope is written in."""

    unit: str
    factor: float
    """From the axis' own units to it."""


@dataclass(frozen=True)
class Axis:
    """How an axis is written."""

    name: str
    title: str
    about: str
    size: str
    """Heading of the sizes."""
    work: str
    """What the time is for, in the heading."""
    time: Slope
    memory: Slope


AXES = (
    Axis(
        *("length", "Length of a video"),
        "One request for the whole video, 384x384 H.264, chunks of 10 s and 16 frames, default"
        " settings, a fresh server for each length.",
        *("length", "the video"),
        Slope("ms a second of video", 1e3),
        Slope("MiB an hour of video", 3600.0),
    ),
    Axis(
        *("resolution", "Resolution"),
        "30 s of H.264 at 30 frames/s, a keyframe every 2 s, three B-frames, one request.",
        *("resolution", "the video"),
        Slope("ms a megapixel of the picture, for each second of video", 1e3 / 30),
        Slope("MiB a megapixel", 1.0),
    ),
    Axis(
        *("frames", "Frames sampled from a chunk"),
        "60 s of 384x384 H.264 in chunks of 10 s. Up to 16 frames decoding is most of it, then the"
        " tower.",
        *("frames a chunk", "a chunk"),
        Slope("ms a frame", 1e3),
        Slope("MiB a frame", 1.0),
    ),
    Axis(
        *("tags", "Tags of the text bank"),
        "A chunk of 16 frames: the five best tags of the chunk and of the video so far, caption,"
        " cuts. Alone: in a process with the settings of a model's, one thread. Served: from a"
        " client's call to its answer; loading is then the whole server's start.",
        *("tags", "a chunk"),
        Slope("ms per 1,000 tags", 1e6),
        Slope("MiB per 1,000 tags", 1e3),
    ),
    Axis(
        *("sequences", "Live sequences"),
        "So many videos are open in one decoder and get a chunk each in turn, one call at a time.",
        *("open sequences", "a chunk"),
        Slope("ms per 1,000 sequences", 1e6),
        Slope("KiB a sequence", 1024.0),
    ),
)


def page(report: Mapping[str, Any]) -> str:
    """Return RESULTS.md."""
    lines = [
        "# How time and memory grow",
        "",
        f"`{COMMAND}`. Times are medians of three rounds; memory is the PSS of all the server's"
        " processes, in MiB, unless the decoder is alone: the most that was read, of whole videos"
        " once a second, of the decoder alone after each round, and of chunks served one by one"
        " once, after them. The exponent is the slope of a straight line through the logarithms (0"
        " flat, 1 linear), the rate that of a line through the values themselves; both by least"
        " squares.",
        "",
        *(f"- {goal}" for goal in goals(report)),
    ]
    for axis in AXES:
        if axis.name in report:
            lines += ["", *_section(axis, report[axis.name])]
    return "\n".join(lines) + "\n"


def goals(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wanted of the longest video and of the largest bank, and what was found."""
    by_length = {point.size: point for point in _points(report.get("length"))}
    short, long = by_length.get(SHORT_SECONDS), by_length.get(LONG_SECONDS)
    if short is not None and long is not None:
        rates = [median(point.seconds) / point.size for point in (long, short)]
        yield (
            f"Two hours of video beside ten minutes: {rates[0] / rates[1]:.2f} x the time a minute"
            f" of video, {long.pss_mib / short.pss_mib:.2f} x the memory (wanted: 1, flat)."
        )
    found = [
        f"{number(median(point.seconds) * 1e3)} ms {point.series}"
        for point in _points(report.get("tags"))
        if point.size == MOST_TAGS
    ]
    if found:
        wanted = f"wanted: under {MOST_MS:g} ms"
        yield f"A chunk against {MOST_TAGS:,} tags ({wanted}): {'; '.join(found)}."


def _section(axis: Axis, measured: Mapping[str, Any]) -> Iterator[str]:
    machine = measured["machine"]
    yield f"## {axis.title}"
    yield ""
    yield f"{axis.about} {processors(machine)}, commit {machine['commit']}."
    points = _points(measured)
    for series in dict.fromkeys(point.series for point in points):
        yield ""
        yield from _table(axis, series, [point for point in points if point.series == series])


def _table(axis: Axis, series: str, points: list[Point]) -> Iterator[str]:
    cpu = any(point.cpu_seconds for point in points)
    load = any(point.load_seconds for point in points)
    heads = [axis.size, f"ms for {axis.work}"]
    heads += ["CPU ms"] * cpu + ["memory, MiB"] + ["loading, s"] * load
    yield f"{series[0].upper()}{series[1:]}:"
    yield ""
    yield _row(heads)
    yield _row(["---"] * len(heads))
    for point in points:
        cells = [point.label, number(median(point.seconds) * 1e3)]
        cells += [number(median(point.cpu_seconds) * 1e3)] if point.cpu_seconds else []
        cells += [f"{point.pss_mib:.0f}"]
        cells += [number(point.load_seconds)] if point.load_seconds else []
        yield _row(cells)
    yield ""
    yield f"{_slopes(axis, points)}."


def _slopes(axis: Axis, points: list[Point]) -> str:
    sizes = [point.size for point in points]
    costs = {
        "Time": (axis.time, [median(point.seconds) for point in points]),
        "memory": (axis.memory, [point.pss_mib for point in points]),
    }
    found = []
    for name, (slope, values) in costs.items():
        fitted = fit(sizes, values)
        rate = number(fitted.slope * slope.factor)
        found.append(f"{name}: exponent {fitted.exponent:.2f}, {rate} {slope.unit}")
    return "; ".join(found)


def _points(measured: Mapping[str, Any] | None) -> list[Point]:
    return [Point(**raw) for raw in measured["points"]] if measured else []


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Read results.json and write RESULTS.md beside it."""
    report = json.loads((FOLDER / "results.json").read_text())
    (FOLDER / "RESULTS.md").write_text(page(report))


if __name__ == "__main__":
    main()
