# SPDX-License-Identifier: Apache-2.0
"""The frames that stand for the scenes of a video, large enough to look at."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trireel_client._calls import Infer
from trireel_client._flows.flows import Flow, Server, video_inputs
from trireel_client._flows.parse import picture_size
from trireel_client._flows.tensors import ANY, NUMBERS, numbers, take
from trireel_client._options import Tensors, texts
from trireel_client._results import Analysis, Thumbnail
from trireel_client._sources import Video
from trireel_client._timeline.shots import shots_of

EXTRACTOR = "frame_extractor"
SIZE_PX = 512
FRAMES_PER_REQUEST = 4  # that fit the memory which a server with a small checkpoint has for frames
SLOT_SECONDS = 0.04  # the shortest chunk
MOST_AFTER_SECONDS = 0.001
OUTPUTS = ("FRAMES", "TIMESTAMPS", "CHUNK_NUM_FRAMES")


def thumbnails(server: Server, source: Video, analysis: Analysis) -> Flow[tuple[Thumbnail, ...]]:
    """Return a picture of each scene: its representative frame."""
    video = yield from video_inputs(server, source)
    times = [shot.representative_seconds for shot in shots_of(analysis)]
    is_older = analysis.picture_size_px is None  # gives frames of the checkpoint's size alone
    inputs = {
        **video,
        "CHUNK_SECONDS": np.array([SLOT_SECONDS]),
        "FRAMES_PER_CHUNK": np.array([1], np.int32),
        "STREAM_INDEX": np.array([analysis.stream_index], np.int32),
        "FIND": texts(["tags"]),  # which needs no other frames
        **({} if is_older else {"SIZE_PX": np.array([SIZE_PX], np.int32)}),
    }
    outputs = OUTPUTS if is_older else (*OUTPUTS, "PICTURE_SIZE_PX")
    found: list[Thumbnail] = []
    for first in range(0, len(times), FRAMES_PER_REQUEST):
        batch = times[first : first + FRAMES_PER_REQUEST]
        starts = np.array([_slot_start(seconds, analysis) for seconds in batch])
        tensors = yield Infer(EXTRACTOR, {**inputs, "START_SECONDS": starts}, outputs)
        found += _thumbnails(tensors, len(batch))
    return tuple(found)


def _slot_start(seconds: float, analysis: Analysis) -> float:
    """Return the start of the shortest chunk that has a frame in its middle.

    A chunk is cut at the video's end. The first frame of a video of more than 50 fps is in no
    chunk's middle; the frame behind it stands for it.
    """
    middle = seconds + min(MOST_AFTER_SECONDS, float(analysis.time_base) / 2)
    end_seconds = analysis.start_seconds + analysis.duration_seconds
    return max(analysis.start_seconds, middle - min(SLOT_SECONDS / 2, end_seconds - middle))


def _thumbnails(tensors: Tensors, count: int) -> Sequence[Thumbnail]:
    frames = take(tensors, "FRAMES", (count, ANY, ANY, 3), NUMBERS).astype(np.uint8)
    times = numbers(tensors, "TIMESTAMPS", count)
    size_px = picture_size(tensors)
    return [Thumbnail(times[i], _own(frames[i]), size_px) for i in range(count)]


def _own(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy, so that a picture does not keep the others of its answer in memory."""
    return pixels.copy()
