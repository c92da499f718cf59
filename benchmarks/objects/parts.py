# SPDX-License-Identifier: Apache-2.0
"""What objects need beside the decode, in one process without a server, on a request's frames.

Prints JSON: for every clip the CPU seconds of FFmpeg's scaler, which makes the detector's frames,
of the detector's graph, whose threads, one a core, share each run, and of the tracker.
"""

import argparse
import json
import time
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from benchmarks.common.towers import session
from trireel_backend.tracking.tracker import Detections, TrackerSettings, advance, new_tracker
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_GRAPH_FILE, read_detector

BATCH = 8


def decoded(clip: Path, fps: float) -> list[av.VideoFrame]:
    """Return a clip's frames in the middles of slots of 1 / fps seconds."""
    frames, next_seconds = [], 0.5 / fps
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            if frame.time >= next_seconds:
                frames.append(frame)
                next_seconds += 1 / fps
    return frames


def scaled(frames: list[av.VideoFrame], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return frames as the detector takes them [N, H, W, 3]."""
    reformatter = VideoReformatter()
    pictures = [reformatter.reformat(frame, *size_px, "rgb24").to_ndarray() for frame in frames]
    return np.stack(pictures)


def track(frames: list[Detections], fps: float, threshold: float) -> None:
    """Follow the objects of frames."""
    settings = TrackerSettings.of_threshold(threshold)
    tracker = new_tracker()
    for number, detections in enumerate(frames):
        tracker, _ = advance(tracker, detections, number / fps, settings)


class Clock:
    """Lists the CPU seconds of this process between calls, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self._since = time.process_time()

    def start(self) -> None:
        """Begin a measurement."""
        self._since = time.process_time()

    def stop(self, name: str) -> None:
        """Add the seconds since the last call to a list; begin the next measurement."""
        self.seconds.setdefault(name, []).append(round(time.process_time() - self._since, 4))
        self._since = time.process_time()


def main() -> None:
    """Measure the session."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--fps", type=float, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("clips", type=Path, nargs="+")
    arguments = parser.parse_args()
    metadata = read_detector(arguments.detector / DETECTOR_FILE)
    graph = session(arguments.detector / DETECTOR_GRAPH_FILE, arguments.threads)
    size_px = (metadata.width_px, metadata.height_px)
    clock, counts = Clock(), []
    for number, clip in enumerate([arguments.clips[0], *arguments.clips]):
        frames = decoded(clip, arguments.fps)
        clock.start()
        pictures = scaled(frames, size_px)
        clock.stop("scaler_cpu_seconds")
        answers = [
            graph.run(None, {"FRAMES": pictures[first : first + BATCH]})
            for first in range(0, len(pictures), BATCH)
        ]
        clock.stop("detector_cpu_seconds")
        found = [
            Detections(boxes.astype(np.float64), scores.astype(np.float64), labels)
            for batch in answers
            for boxes, scores, labels in zip(*batch, strict=True)
        ]
        clock.start()
        track(found, arguments.fps, metadata.threshold)
        clock.stop("tracker_cpu_seconds")
        if number == 0:  # warms up
            clock = Clock()
        else:
            counts.append(len(pictures))
    print(json.dumps({**clock.seconds, "frames": counts}))


if __name__ == "__main__":
    main()
