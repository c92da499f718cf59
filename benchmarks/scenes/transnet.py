# SPDX-License-Identifier: Apache-2.0
"""TransNetV2 alone as published: all frames, windows of 100 at a stride of 50, threshold 0.5.

The runs of frames above the threshold are the transitions. The score of a cut is on the last frame
of the old shot, so an event's time is that of the frame after the highest score of its run.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.scenes.score import Event

WINDOW, STRIDE, CONTEXT = 100, 50, 25
SIZE_PX = (48, 27)
THRESHOLD = 0.5


class TransNet:
    """The network, from an ONNX file with frames uint8 [N, 100, 27, 48, 3] as its input."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """Load the network."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def detect(self, video: Path) -> tuple[Event, ...]:
        """Return the transitions of a video."""
        pts, frames = read_small(video)
        return events_of(self.scores(frames), pts)

    def scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the score of each frame (uint8 [n, 27, 48, 3]) in [0, 1]."""
        middles = [
            self._session.run(None, {self._input: window[None]})[0].reshape(-1)[
                CONTEXT : CONTEXT + STRIDE
            ]
            for window in windows(frames)
        ]
        return np.concatenate(middles)[: len(frames)]


def read_small(video: Path) -> tuple[list[float], NDArray[np.uint8]]:
    """Return the PTS in seconds and all frames, uint8 [n, 27, 48, 3]."""
    pts, frames = [], []
    width, height = SIZE_PX
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for frame in container.decode(stream):
            pts.append(float(frame.pts * frame.time_base))
            frames.append(frame.to_ndarray(width=width, height=height, format="rgb24"))
    return pts, np.stack(frames)


def windows(frames: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield windows of 100 frames; the first and the last frame are repeated at the ends."""
    after = CONTEXT + STRIDE - (len(frames) % STRIDE or STRIDE)
    padded = np.concatenate(
        [frames[:1].repeat(CONTEXT, axis=0), frames, frames[-1:].repeat(after, axis=0)]
    )
    for first in range(0, len(padded) - WINDOW + 1, STRIDE):
        yield padded[first : first + WINDOW]


def events_of(
    scores: NDArray[np.float32], pts: Sequence[float], threshold: float = THRESHOLD
) -> tuple[Event, ...]:
    """Return an event for each run of scores above the threshold that the video outlasts."""
    found, at, last = [], 0, len(pts) - 1
    for above, run in groupby(scores > threshold):
        length = len(list(run))
        if above and at + length <= last:
            peak = at + int(np.argmax(scores[at : at + length]))
            found.append(Event(pts[peak + 1], pts[at], pts[at + length]))
        at += length
    return tuple(found)
