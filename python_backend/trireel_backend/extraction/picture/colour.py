# SPDX-License-Identifier: Apache-2.0
"""Colour descriptions of frames, restricted to those that FFmpeg's scaler knows.

A decoder reports every description that a stream may state (ITU-T H.273). The scaler knows only
some of them and rejects the others. A picture with an unknown description is drawn as if it had no
description, as players do.
"""

from av.video.frame import VideoFrame

UNSPECIFIED = 2
IDENTITY_MATRIX = 0  # the planes are green, blue and red
# Codes of ITU-T H.273. The scaler lacks, for example, the matrices YCgCo, ICtCp and BT.2020 with
# constant luminance, and the logarithmic transfer functions.
KNOWN_MATRICES = frozenset((1, 2, 4, 5, 6, 7, 9))
KNOWN_PRIMARIES = frozenset((1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22))
KNOWN_TRANSFERS = frozenset((1, 2, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18))
KNOWN_RANGES = frozenset((0, 1, 2))
UNSPECIFIED_RANGE = 0


def keep_known_colours(frame: VideoFrame) -> None:
    """Set a frame's colour codes that the scaler does not know to unspecified."""
    if frame.colorspace not in KNOWN_MATRICES and not _is_rgb(frame):
        frame.colorspace = UNSPECIFIED
    if frame.color_primaries not in KNOWN_PRIMARIES:
        frame.color_primaries = UNSPECIFIED
    if frame.color_trc not in KNOWN_TRANSFERS:
        frame.color_trc = UNSPECIFIED
    if frame.color_range not in KNOWN_RANGES:
        frame.color_range = UNSPECIFIED_RANGE


def _is_rgb(frame: VideoFrame) -> bool:
    return frame.colorspace == IDENTITY_MATRIX and bool(frame.format.is_rgb)
