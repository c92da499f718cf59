# SPDX-License-Identifier: Apache-2.0
"""Made-up embeddings as videos have them: runs of frames that are nearly equal."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_app.library import Checkpoint, Frames, Scene, VideoRecord, video_id_of
from trireel_schema.vectors import unit

FRAMES_A_RUN = 16
WITHIN_RUN = 0.15  # length of a frame's deviation from its run
WITHIN_VIDEO = 1.0  # length of a run's deviation from its video, whose own part has length 1
QUERY_COSINES = (0.3, 0.6, 0.9)  # to a frame: a text, a fitting text, a similar picture


@dataclass(frozen=True)
class World:
    """The size of a library."""

    videos: int
    """Number of videos."""
    runs: int
    """Number of runs of frames in each video; each is a scene."""
    width: int
    """Width of the embeddings."""

    @property
    def frames(self) -> int:
        """Number of frames of all videos."""
        return self.videos * self.runs * FRAMES_A_RUN

    def records(self) -> Iterator[VideoRecord]:
        """Yield the videos; the same in each run."""
        for number in range(self.videos):
            yield self._record(number)

    def _record(self, number: int) -> VideoRecord:
        rng = np.random.default_rng(number)
        video = _directions(rng, 1, self.width)
        runs = unit(video + WITHIN_VIDEO * _directions(rng, self.runs, self.width))
        count = self.runs * FRAMES_A_RUN
        apart = WITHIN_RUN * _directions(rng, count, self.width)
        seconds = np.arange(count, dtype=np.float64)
        uri = f"/made-up/{number:04d}.mp4"
        return VideoRecord(
            video_id=video_id_of(uri),
            uri=uri,
            start_seconds=0.0,
            duration_seconds=float(count),
            checkpoint=Checkpoint("made up", "0" * 64, self.width),
            frames=Frames(
                seconds,
                seconds.astype(np.int64),
                np.zeros(count, np.int32),
                np.repeat(np.arange(self.runs), FRAMES_A_RUN).astype(np.int32),
                unit(np.repeat(runs, FRAMES_A_RUN, axis=0) + apart),
            ),
            chunks=(),
            scenes=tuple(
                Scene(
                    start_seconds=float(run * FRAMES_A_RUN),
                    end_seconds=float((run + 1) * FRAMES_A_RUN),
                    representative_seconds=float(run * FRAMES_A_RUN),
                    embedding=runs[run],
                )
                for run in range(self.runs)
            ),
        )


def queries(frames: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return unit queries [count, D] at the cosines of `QUERY_COSINES` to frames, in turn."""
    rng = np.random.default_rng(1_000_000)
    near = frames[rng.choice(len(frames), count, replace=False)]
    away = _directions(rng, count, frames.shape[1])
    away = unit(away - (away * near).sum(axis=1, keepdims=True) * near)
    cosines = np.resize(QUERY_COSINES, count)[:, None].astype(np.float32)
    return unit(cosines * near + np.sqrt(1 - cosines**2) * away)


def _directions(rng: np.random.Generator, count: int, width: int) -> NDArray[np.float32]:
    return unit(rng.standard_normal((count, width), np.float32))
