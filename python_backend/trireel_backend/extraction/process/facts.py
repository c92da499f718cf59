# SPDX-License-Identifier: Apache-2.0
"""The facts of a video between an extractor's process and its owner, checked one by one."""

import dataclasses
import math
from fractions import Fraction
from typing import Any

from trireel_backend.extraction.task import FrameRate, VideoInfo


def info_values(info: VideoInfo) -> dict[str, Any]:
    """Return the facts of a video as values of JSON."""
    rate = info.frame_rate
    return dataclasses.asdict(info) | {
        "frame_rate": [*rate.fps.as_integer_ratio(), rate.is_variable],
        "pixel_aspect": info.pixel_aspect.as_integer_ratio(),
    }


def info_of(values: dict[str, Any]) -> VideoInfo:
    """Read and check the values of `info_values`; raises ValueError."""
    return VideoInfo(
        start_seconds=finite(values["start_seconds"]),
        duration_seconds=finite(values["duration_seconds"]),
        is_complete=bool(values["is_complete"]),
        stream_index=int(values["stream_index"]),
        video_stream_indices=tuple(map(int, values["video_stream_indices"])),
        decoder=str(values["decoder"]),
        frame_pixels=int(values["frame_pixels"]),
        frame_rate=_frame_rate(values["frame_rate"]),
        pixel_aspect=_ratio(*values["pixel_aspect"]),
    )


def _frame_rate(values: list[Any]) -> FrameRate:
    numerator, denominator, is_variable = values
    return FrameRate(_ratio(numerator, denominator), bool(is_variable))


def _ratio(numerator: Any, denominator: Any) -> Fraction:
    """Return a fraction that is not negative and fits INT64."""
    ratio = Fraction(int(numerator), int(denominator))
    if ratio < 0 or max(ratio.as_integer_ratio()) >= 2**63:
        raise ValueError(f"a ratio of {ratio}")
    return ratio


def size_px_of(values: list[Any]) -> tuple[int, int]:
    """Return a checked width and height; raises ValueError."""
    width_px, height_px = map(int, values)
    if not (0 <= width_px < 2**31 and 0 <= height_px < 2**31):
        raise ValueError(f"a picture of {width_px} x {height_px}")
    return width_px, height_px


def finite(value: Any) -> float:
    """Return a number of seconds; raises ValueError if it is infinite or NaN."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a time of {number}")
    return number
