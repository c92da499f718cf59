# SPDX-License-Identifier: Apache-2.0
"""Answers of `clip_encoder`: some frames as one WebM clip."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from trireel_backend.clips.isolation import EncoderSettings, IsolatedEncoder
from trireel_backend.clips.messages import ClipTask
from trireel_backend.clips.options import ClipOptions, clip_options
from trireel_backend.clips.times import check_frames, clip_times_ms
from trireel_backend.errors import InvalidInput
from trireel_backend.wire.request import Request


def read_clip_options(request: Request) -> ClipOptions:
    """Return the options of the clips that a request wants; raises InvalidInput."""
    return clip_options(
        request.text("CLIP_CODEC"),
        request.text("CLIP_DEADLINE"),
        request.number("CLIP_CPU_USED", int),
        request.number("CLIP_CRF", int),
    )


def encode_request(
    request: Request, settings: EncoderSettings, encoder: IsolatedEncoder
) -> dict[str, NDArray[np.object_]]:
    """Answer a request for one clip; raises the errors of `IsolatedEncoder.encode`.

    Raises:
        InvalidInput: if an input is not allowed.
    """
    task = _task(request, settings.max_clip_bytes)
    clip = np.empty(1, np.object_)
    clip[0] = encoder.encode(task, request.is_cancelled)
    return {"CLIP_DATA": clip}


def _task(request: Request, max_bytes: int) -> ClipTask:
    options = read_clip_options(request)
    frames, pts = request.required("FRAMES"), request.required("PTS")
    check_frames(frames.shape, options, max_bytes)
    if len(pts) != len(frames):
        raise InvalidInput(f"got {len(pts)} PTS of {len(frames)} frames: give one for each frame")
    numerator, denominator = request.required("TIME_BASE").tolist()
    if numerator < 1 or denominator < 1:
        raise InvalidInput(f"TIME_BASE is {numerator}/{denominator}: give two numbers of 1 or more")
    times_ms = clip_times_ms(pts.tolist(), Fraction(numerator, denominator))
    return ClipTask(frames, np.array(times_ms, np.int64), options)
