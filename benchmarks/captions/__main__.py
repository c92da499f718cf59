# SPDX-License-Identifier: Apache-2.0
"""Read the captions of all videos and score them; then measure time, CPU time and memory.

The raw numbers hold the score and the captions of each video, and the costs of each way to read a
long one. A run goes on with what its file lacks.
"""

import json
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.captions.benchmark import BENCHMARK
from benchmarks.captions.footage.plan import PARTS, SETS, videos
from benchmarks.captions.footage.writing import write_captioned
from benchmarks.captions.long import CLIP_NAME, long_video
from benchmarks.captions.score import read_truth, score
from benchmarks.captions.served import Reader, reader
from benchmarks.common.machine import describe
from benchmarks.common.record import ROOT, write_raw

PACKAGES = ("av", "onnxruntime", "numpy", "pillow", "scikit-video")
FPS = 10.0
RAPIDOCR = {"rapidocr": "default", "rapidocr, native size": "native"}
"""Size to which RapidOCR scales pictures, by the name of the way."""
WAYS = ("trireel", "trireel without clips", "sequential", *RAPIDOCR)
MINUTES = (2, 10, 60)
MOST_RAPIDOCR_FRAMES = 60
WORKER = Path(__file__).parent / "rapidocr_worker.py"
Report = dict[str, Any]


def main() -> None:
    """Measure what is not yet in the file of raw numbers."""
    arguments = _arguments()
    output: Path = arguments.output
    report: Report = json.loads(output.read_text()) if output.exists() else {}
    report = {"videos": {}, "cost": {}} | report | {"machine": describe(PACKAGES), "fps": FPS}

    def save() -> None:
        write_raw(output, report)

    if "accuracy" in arguments.do:
        accuracy(arguments, report["videos"], save)
    if "cost" in arguments.do:
        cost(arguments, report["cost"], save)


def accuracy(arguments: Namespace, found: Report, save: Callable[[], None]) -> None:
    """Score every video: with the region given, and with the region found by the server."""
    folder: Path = arguments.videos
    truths = [
        write_captioned(video, folder / name)
        for part in arguments.parts
        for name in SETS
        for video in videos(name, part, folder)
    ]
    with reader(folder, truths[0].with_suffix(".mp4")) as server:
        for truth in truths:
            for way in ("region", "found region"):
                key = f"{truth.stem}, {way}"
                if key not in found:
                    found[key] = judged(server, truth, has_region=way == "region")
                    save()
                    print(key, found[key]["extents"], found[key]["exact"], flush=True)


def judged(server: Reader, path: Path, *, has_region: bool) -> Report:
    """Return the raw numbers of one video."""
    report = json.loads(path.read_text())
    truth = read_truth(report)
    x1, y1, x2, y2 = report["region"]
    crop = (x1, y1, x2 - x1, y2 - y1) if has_region else None
    reading = server.read(path.with_suffix(".mp4"), crop, FPS)
    result = asdict(score(truth, reading.captions, 1 / FPS))
    counts = {
        name: [result[name][count] for count in ("hits", "missed", "false")]
        for name in ("extents", "exact")
    }
    captions = [
        [seen.text, round(seen.first_seconds, 4), round(seen.last_seconds, 4)]
        for seen in reading.captions
    ]
    return result | counts | {
        "group": report["group"],
        "seconds": report["pts_seconds"][-1],
        "cpu_seconds": reading.cpu_seconds,
        "captions": captions,
    }  # fmt: skip


def cost(arguments: Namespace, found: Report, save: Callable[[], None]) -> None:
    """Measure each way on each length; the ways take turns."""
    for minutes in arguments.minutes:
        video, crop = long_video(arguments.videos, minutes)
        for way in arguments.ways:
            key = f"{minutes} minutes, {way}"
            if not is_wanted(key, way, found, arguments.rapidocr):
                continue
            found[key] = measured(way, video, crop, arguments)
            save()
            print(key, found[key]["wall_seconds"], found[key]["cpu_seconds"], flush=True)


def is_wanted(key: str, way: str, found: Report, rapidocr_python: Path | None) -> bool:
    """Return whether a cost is to be measured: it is not yet there, and its package is."""
    return key not in found and (way not in RAPIDOCR or rapidocr_python is not None)


def measured(way: str, video: Path, crop: list[float], arguments: Namespace) -> Report:
    """Return the cost of one way to read a video."""
    if way in RAPIDOCR:
        return rapidocr(arguments.rapidocr, RAPIDOCR[way], video, crop)
    if way == "sequential":
        return sequential(video, crop)
    with reader(video.parent, video.with_name(f"{CLIP_NAME}.mp4")) as server:
        reading = server.read(video, crop, FPS, with_clips=way == "trireel")
    return {
        "wall_seconds": reading.wall_seconds,
        "cpu_seconds": reading.cpu_seconds,
        "peak_mib": max(reading.pss_mib),
        "pss_mib": reading.pss_mib,
        "captions": len(reading.captions),
        "clips": reading.clips,
        "clip_frames": reading.clip_frames,
        "stages": reading.stages,
    }


def sequential(video: Path, crop: list[float]) -> Report:
    """Return the cost of the sequential form."""
    with tempfile.TemporaryDirectory(prefix="sequential-", dir=video.parent) as work:
        command = [sys.executable, "-m", "benchmarks.captions.sequential", str(video), str(FPS)]
        answer = _json_of([*command, work, *_pixels(video, crop)])
    wall, cpu = (sum(stage[part] for stage in answer["stages"].values()) for part in (0, 1))
    captions = len(answer.pop("captions"))
    return {"wall_seconds": wall, "cpu_seconds": cpu, **answer, "captions": captions}


def rapidocr(python: Path, size: str, video: Path, crop: list[float]) -> Report:
    """Return the cost of OCR of every sample; if some are read, it is scaled up."""
    command = [str(python), str(WORKER), size, str(video), str(FPS), str(MOST_RAPIDOCR_FRAMES)]
    return scaled_up(_json_of([*command, *_pixels(video, crop)]))


def scaled_up(answer: Report) -> Report:
    """Return what reading all samples costs if each costs as much as those that were read."""
    factor = answer["samples"] / answer["read"]
    wall, cpu = (
        answer["decode_seconds"][part] + factor * answer["read_seconds"][part] for part in (0, 1)
    )
    measured = {name: value for name, value in answer.items() if name != "texts"}
    return {"wall_seconds": wall, "cpu_seconds": cpu, "scaled_by": factor, **measured}


def _pixels(video: Path, crop: list[float]) -> list[str]:
    """Return left, top, width and height in pixels."""
    import av

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        sides = (stream.width, stream.height) * 2
    return [str(round(part * side)) for part, side in zip(crop, sides, strict=True)]


def _json_of(command: list[str]) -> Report:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    answer: Report = json.loads(done.stdout)
    return answer


def _arguments() -> Namespace:
    parser = BENCHMARK.parser()
    parser.add_argument("--videos", type=Path, required=True, help="folder of the videos")
    parser.add_argument(
        "--do", nargs="*", choices=("accuracy", "cost"), default=("accuracy", "cost")
    )
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=("test",))
    parser.add_argument("--minutes", nargs="*", type=int, default=MINUTES)
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=WAYS)
    parser.add_argument("--rapidocr", type=Path, help="Python of an environment with RapidOCR")
    arguments = parser.parse_args()
    arguments.videos = arguments.videos.resolve()
    return arguments


if __name__ == "__main__":
    main()
