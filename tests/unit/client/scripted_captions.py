# SPDX-License-Identifier: Apache-2.0
"""Answers of `caption_extents` for one video of three captions and two clips."""

from collections.abc import Iterator, Sequence

import numpy as np
from unit.client.scripted import TIME_BASE, Tensors, bytes_of

TEXTS = ["Hello there", "Two lines\nof text", "Über <alles> & more"]
SPANS = [(1.5, 3.25), (3.25, 5.0), (7.5, 9.0)]
CLIPS = [b"\x1aE\xdf\xa3 first clip", b"\x1aE\xdf\xa3 second clip \xff\x00"]
CLIP_SPANS = [(0.5, 5.5), (5.5, 10.5)]
CLIP_FRAMES = [50, 49]
STAGES = ("extract", "compare", "read", "encode")


def captions_answer(indices: Sequence[int], clips: Sequence[int] = ()) -> Tensors:
    """Return an answer with some of the captions and clips."""
    starts = np.array([SPANS[i] for i in indices], np.float64).reshape(-1, 2)
    frames = np.stack([starts[:, 0], starts[:, 1] - 0.04], axis=1)
    data = np.empty(len(clips), np.object_)
    data[:] = [CLIPS[j] for j in clips]
    return {
        "TEXT_TEXTS": bytes_of([TEXTS[i] for i in indices]),
        "TEXT_CONFIDENCES": np.array([0.9 + 0.01 * i for i in indices], np.float32),
        "TEXT_BOXES": np.array([[0.1, 0.8, 0.9, 0.9]] * len(indices), np.float32).reshape(-1, 4),
        "TEXT_SPANS": starts,
        "TEXT_LAST_SECONDS": frames[:, 1],
        "TEXT_PTS": np.rint(frames * TIME_BASE[1]).astype(np.int64),
        "CLIP_DATA": data,
        "CLIP_INDICES": np.array(clips, np.int32),
        "CLIP_SPANS": np.array([CLIP_SPANS[j] for j in clips], np.float64).reshape(-1, 2),
        "CLIP_NUM_FRAMES": np.array([CLIP_FRAMES[j] for j in clips], np.int32),
        "IS_AGGREGATE": np.array([False]),
    }


def stages(share: float) -> Tensors:
    """Return the work of the stages when a share of it is done: less than a millisecond."""
    return {
        "STAGES": bytes_of(list(STAGES)),
        "STAGE_COUNTS": np.array([100, 99, 5, 2]) * int(share * 10) // 10,
        "STAGE_BUSY_MS": np.array([0.1, 0.05, 0.2, 0.9]) * share,
        "STAGE_WAIT_MS": np.array([0.7, 0.3, 0.0, 0.0]) * share,
        "STAGE_STARVED_MS": np.array([0.0, 0.55, 0.7, 0.02]) * share,
    }


def captions_stream() -> Iterator[Tensors]:
    """Yield the answers of one whole video."""
    about = {
        "VIDEO_START_SECONDS": np.array([0.5]),
        "VIDEO_DURATION_SECONDS": np.array([10.0]),
        "REGION": np.array([0.0, 0.75, 1.0, 0.25]),
    }
    yield {**captions_answer([]), **about, **stages(0.0)}
    first = {**captions_answer([0, 1]), "POSITION_SECONDS": np.array([5.0])}
    yield {**first, **stages(0.5)}
    yield captions_answer([], [0])
    yield {
        **captions_answer([2], [1]),
        **stages(1.0),
        **about,
        "POSITION_SECONDS": np.array([10.5]),
        "TIME_BASE": np.array(TIME_BASE),
        "PICTURE_SIZE_PX": np.array([640, 360], np.int32),
        "IS_COMPLETE": np.array([True]),
        "IS_AGGREGATE": np.array([True]),
    }
