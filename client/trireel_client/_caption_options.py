# SPDX-License-Identifier: Apache-2.0
"""The options of a request for captions on screen, and the input tensors that carry them."""

from collections.abc import Sequence
from typing import Literal, TypedDict

import numpy as np

from trireel_client._option_tensors import Kind, chosen_options, tensors_of
from trireel_client._options import Tensors, checked_texts, texts

ClipCodec = Literal["vp9", "av1"]
ClipDeadline = Literal["realtime", "good"]


class CaptionOptions(TypedDict, total=False):
    """Options of a request for captions; the server chooses those that are missing or None."""

    crop: Sequence[float] | None
    """Region with the captions: left, top, width, height as fractions of the upright picture."""
    crop_px: Sequence[int] | None
    """Region with the captions in pixels, instead of `crop`: left, top, width, height."""
    find_region: bool
    """True if the server is to find the region, where text keeps returning."""
    sample_fps: float | None
    """Number of frames to look at in each second; 0 for every frame."""
    stream_index: int | None
    """Index in the file of the video stream to read."""
    with_clips: bool
    """True to return the region as WebM clips."""
    clip_seconds: float | None
    """Length of a clip in seconds."""
    clip_codec: ClipCodec | None
    """Codec of the clips."""
    clip_deadline: ClipDeadline | None
    """Care that the VP9 encoder takes: `realtime` is fast, `good` makes smaller clips."""
    clip_cpu_used: int | None
    """Speed of the encoder: 0 to 8 for VP9, 0 to 13 for AV1; higher is faster and larger."""
    clip_crf: int | None
    """Quality of the clips, 0 to 63: lower is better and larger."""


_KINDS = {
    "crop": Kind(np.float64, 4),
    "crop_px": Kind(np.int32, 4),
    "find_region": Kind(np.bool_),
    "sample_fps": Kind(np.float64),
    "stream_index": Kind(np.int32),
    "with_clips": Kind(np.bool_),
    "clip_seconds": Kind(np.float64),
    "clip_cpu_used": Kind(np.int32),
    "clip_crf": Kind(np.int32),
}
_WORDS = ("clip_codec", "clip_deadline")
_EITHER_OR = (("crop", "crop_px"),)


def caption_inputs(options: CaptionOptions) -> Tensors:
    """Return the inputs of a request for captions.

    Raises:
        TypeError: if there is no such option.
        InvalidRequest: if a value is not of its kind, or one option contradicts another.
    """
    chosen = chosen_options(options, CaptionOptions.__optional_keys__, _EITHER_OR)
    words = {name: checked_texts(name, [chosen[name]]) for name in _WORDS if name in chosen}
    return {
        **tensors_of(chosen, _KINDS),
        **{name.upper(): texts(values, name) for name, values in words.items()},
    }
