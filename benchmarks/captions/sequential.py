# SPDX-License-Identifier: Apache-2.0
"""The sequential form of the same work: extract all frames, then read all, then encode all.

Run: python -m benchmarks.captions.sequential VIDEO FPS FOLDER LEFT TOP WIDTH HEIGHT

The functions and the models are Trireel's own; only the order of the work differs. Each stage uses
the cores as its library does by itself: FFmpeg decodes with several threads, onnxruntime computes
one picture with all cores, and clips are encoded one after the other. Frames lie in a file between
the stages, because an hour of them does not fit into memory. It prints JSON.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from trireel_backend.captioning.calls import read_text
from trireel_backend.captioning.clips import ClipCutter
from trireel_backend.captioning.job import VideoFacts
from trireel_backend.captioning.reading import Comparing, Reading
from trireel_backend.captioning.report import Report
from trireel_backend.captions.lines import ClosedLine
from trireel_backend.captions.merging import ReadText
from trireel_backend.captions.stretch import Moment, Stretch, moments, sampled
from trireel_backend.captions.tracking import FoundText
from trireel_backend.clips.encode import encode_clip
from trireel_backend.clips.options import ClipOptions
from trireel_backend.clips.times import clip_times_ms
from trireel_backend.reading.boxes import joined_lines, text_boxes
from trireel_backend.reading.codes import ReadLine, read_codes
from trireel_backend.reading.lines import detector_frames, grouped_lines, line_picture
from trireel_backend.text_models.files import (
    LARGE_DETECTOR_FILE,
    RECOGNIZER_FILE,
    default_folder,
    load_characters,
)

STRETCH_FRAMES = 60
CLIP_SECONDS = 10.0
USED_CPU = resource.RUSAGE_SELF


class OwnModels:
    """The two models in this process: the calls that `Reading` makes."""

    def __init__(self) -> None:
        folder = default_folder()
        self._detector = ort.InferenceSession(folder / LARGE_DETECTOR_FILE)
        self._recognizer = ort.InferenceSession(folder / RECOGNIZER_FILE)
        self._characters = load_characters(folder)

    async def detect(self, frames: Sequence[NDArray[np.uint8]]) -> list[FoundText]:
        """Return the boxes of text in each frame [H, W, 3]."""
        found = []
        for frame in frames:
            (maps,) = self._detector.run(None, {"FRAMES": detector_frames(frame[None])})
            boxes = joined_lines(text_boxes(maps[0], frame.shape[:2]))
            found.append(FoundText(boxes.boxes, boxes.scores))
        return found

    async def read(self, lines: Sequence[ClosedLine]) -> list[ReadText]:
        """Return the texts of lines."""
        pictures = []
        for line in lines:
            height, width = line.picture.shape[:2]
            pictures.append(line_picture(line.picture, np.array([0, 0, width, height], np.int32)))
        read: dict[int, ReadLine] = {}
        for group in grouped_lines(pictures):
            codes, scores = self._recognizer.run(None, {"LINES": group.pictures})
            read |= zip(group.indices, read_codes(codes, scores, self._characters), strict=True)
        return [read_text(line, read[index]) for index, line in enumerate(lines)]


def extract_all(video: Path, region: Sequence[int], store: Path) -> tuple[list[int], Fraction]:
    """Write the region's pixels of every frame into a file; return their PTS and the time base."""
    left, top, width, height = region
    pts = []
    with av.open(str(video)) as container, store.open("wb") as file:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            picture = frame.to_ndarray(format="rgb24")
            file.write(picture[top : top + height, left : left + width].tobytes())
            pts.append(frame.pts)
        base = stream.time_base
    return pts, base


def stretches(frames: NDArray[np.uint8], times: Sequence[Moment], fps: float) -> Iterator[Stretch]:
    """Yield the stored frames stretch by stretch."""
    start, last = times[0].seconds, None
    for at in range(0, len(times), STRETCH_FRAMES):
        part = times[at : at + STRETCH_FRAMES]
        chosen = sampled([moment.seconds for moment in part], start, fps, last)
        yield Stretch(list(frames[at : at + STRETCH_FRAMES]), part, list(chosen))
        last = part[-1].seconds


async def read_all(
    frames: NDArray[np.uint8], times: Sequence[Moment], fps: float, facts: VideoFacts
) -> list[ReadText]:
    """Return the captions of the stored frames."""
    comparing = Comparing()
    reading = Reading(OwnModels(), facts, 1 / fps, Report()["read"])  # type: ignore[arg-type]
    captions = []
    for part in stretches(frames, times, fps):
        compared = comparing.compare(part)
        closed = reading.follow(part, await reading.detect(compared))
        captions += await reading.captions(closed, is_last=False)
    return captions + await reading.captions(reading.end(), is_last=True)


def encode_all(
    frames: NDArray[np.uint8], times: Sequence[Moment], fps: float, base: Fraction, folder: Path
) -> int:
    """Write the samples of the stored frames as clips; return the number of clips."""
    cutter, count = ClipCutter(times[0].seconds, CLIP_SECONDS), 0

    def write(clips: Any) -> int:
        written = 0
        for clip in clips:
            pts = [moment.pts for moment in clip.moments]
            data = encode_clip(clip.frames, clip_times_ms(pts, base), ClipOptions())
            (folder / f"{clip.index}.webm").write_bytes(data)
            written += 1
        return written

    for part in stretches(frames, times, fps):
        count += write(cutter.after(part))
    return count + write(cutter.end(times[-1].seconds))


def main() -> None:
    """Do the three stages one after the other, and print their times, memory and captions."""
    video, fps, folder = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    region = list(map(int, sys.argv[4:]))
    marks = [(time.perf_counter(), _cpu_seconds())]
    store = folder / "frames.rgb"
    pts, base = extract_all(video, region, store)
    marks.append((time.perf_counter(), _cpu_seconds()))
    frames = np.memmap(store, np.uint8, "r", shape=(len(pts), region[3], region[2], 3))
    times = moments(np.array(pts, np.int64), base)
    seconds = times[-1].seconds - times[0].seconds
    size_px = (region[2], region[3])
    facts = VideoFacts({}, times[0].seconds, seconds, len(pts) / seconds, size_px, base)
    captions = asyncio.run(read_all(frames, times, fps, facts))
    marks.append((time.perf_counter(), _cpu_seconds()))
    clips = encode_all(frames, times, fps, base, folder)
    marks.append((time.perf_counter(), _cpu_seconds()))
    stages = [
        [round(after - before, 3) for before, after in zip(*pair, strict=True)]
        for pair in pairwise(marks)
    ]
    answer = {
        "stages": dict(zip(("extract", "read", "encode"), stages, strict=True)),
        "peak_mib": resource.getrusage(USED_CPU).ru_maxrss / 1024,
        "frames_mib": store.stat().st_size / 2**20,
        "clips": clips,
        "captions": [[read.text, read.first.seconds, read.last.seconds] for read in captions],
    }
    print(json.dumps(answer))


def _cpu_seconds() -> float:
    used = resource.getrusage(USED_CPU)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
