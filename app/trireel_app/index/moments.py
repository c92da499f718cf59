# SPDX-License-Identifier: Apache-2.0
"""From frames to moments: stretches of a scene in which the frames fit a query."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_app.index.rows import FrameRows
from trireel_app.index.where import SceneKey


@dataclass(frozen=True)
class Stretch:
    """A stretch of a scene whose frames fit a query about equally well."""

    scene: SceneKey
    """Scene of the stretch."""
    begin_seconds: float
    """PTS at which the stretch begins."""
    end_seconds: float
    """PTS at which the stretch ends."""
    best_seconds: float
    """PTS of its best frame."""
    cosine: float
    """Cosine of its best frame to the query."""


def stretches(frames: FrameRows, cosines: NDArray[np.float32], drop: float) -> list[Stretch]:
    """Return the stretches of frames, best first.

    A stretch holds neighbours of one scene whose cosines are at most `drop` below that of the
    scene's best frame. Frames of a video that has newer rows are left out.

    Args:
        frames: any frames, in any order.
        cosines: [n] cosine of each frame to the query.
        drop: 0 or more.
    """
    newest: dict[str, int] = {}
    for key, added_ns in zip(frames.scenes, frames.added_ns.tolist(), strict=True):
        newest[key.video_id] = max(added_ns, newest.get(key.video_id, 0))
    by_scene: dict[SceneKey, list[int]] = {}
    for row, (key, added_ns) in enumerate(zip(frames.scenes, frames.added_ns, strict=True)):
        if added_ns == newest[key.video_id]:
            by_scene.setdefault(key, []).append(row)
    found = [
        stretch
        for key, rows in by_scene.items()
        for stretch in _of_scene(key, frames, cosines, np.array(rows), drop)
    ]
    return sorted(
        found, key=lambda stretch: (-stretch.cosine, stretch.scene, stretch.begin_seconds)
    )


def _of_scene(
    key: SceneKey,
    frames: FrameRows,
    cosines: NDArray[np.float32],
    rows: NDArray[np.intp],
    drop: float,
) -> Iterator[Stretch]:
    """Yield the stretches of one scene, whose frames are those in `rows`."""
    fits = rows[cosines[rows] >= cosines[rows].max() - drop]
    fits = fits[np.argsort(frames.frame_indices[fits], kind="stable")]
    breaks = np.flatnonzero(np.diff(frames.frame_indices[fits]) > 1) + 1
    for run in np.split(fits, breaks):
        best = run[np.argmax(cosines[run])]
        yield Stretch(
            key,
            float(frames.spans_seconds[run[0], 0]),
            float(frames.spans_seconds[run[-1], 1]),
            float(frames.timestamps_seconds[best]),
            float(cosines[best]),
        )
