# SPDX-License-Identifier: Apache-2.0
"""The choices of a clip's codec, speed and quality, checked before any frame is encoded."""

from dataclasses import dataclass

from trireel_backend.errors import InvalidInput

VP9, AV1 = "vp9", "av1"
REALTIME, GOOD = "realtime", "good"
MAX_CRF = 63


@dataclass(frozen=True)
class Codec:
    """One codec with its defaults."""

    encoder: str
    """FFmpeg's name of the encoder."""
    usual_cpu_used: int
    """Speed if the request does not choose it."""
    max_cpu_used: int
    """Highest speed; higher is faster and larger."""
    usual_crf: int
    """Quality if the request does not choose it."""
    least_side_px: int
    """Smallest width and height that the encoder accepts."""


CODECS = {
    VP9: Codec("libvpx-vp9", 6, 8, 31, 1),
    AV1: Codec("libsvtav1", 10, 13, 35, 4),
}
"""The codecs by their names in CLIP_CODEC."""


@dataclass(frozen=True)
class ClipOptions:
    """How clips are encoded; made by `clip_options`."""

    codec: str = VP9
    """Name of the codec: a key of CODECS."""
    deadline: str = REALTIME
    """`realtime` or `good`, of VP9 only."""
    cpu_used: int = CODECS[VP9].usual_cpu_used
    """Speed of the encoder: higher is faster and larger."""
    crf: int = CODECS[VP9].usual_crf
    """Quality, 0 to 63: lower is better and larger."""


def clip_options(
    codec: str | None, deadline: str | None, cpu_used: int | None, crf: int | None
) -> ClipOptions:
    """Return options with the codec's defaults for each that is None.

    Raises:
        InvalidInput: if a value is not allowed.
    """
    name = _choice("CLIP_CODEC", codec, tuple(CODECS))
    if name != VP9 and deadline is not None:
        raise InvalidInput(
            f"CLIP_DEADLINE is for CLIP_CODEC {VP9!r}, not {name!r}: choose the speed with"
            " CLIP_CPU_USED"
        )
    chosen = CODECS[name]
    return ClipOptions(
        name,
        _choice("CLIP_DEADLINE", deadline, (REALTIME, GOOD)),
        _within("CLIP_CPU_USED", cpu_used, chosen.usual_cpu_used, chosen.max_cpu_used, name),
        _within("CLIP_CRF", crf, chosen.usual_crf, MAX_CRF, name),
    )


def _choice(tensor: str, value: str | None, allowed: tuple[str, ...]) -> str:
    if value is None:
        return allowed[0]
    if value not in allowed:
        raise InvalidInput(f"{tensor} is {value!r}: give {' or '.join(map(repr, allowed))}")
    return value


def _within(tensor: str, value: int | None, usual: int, most: int, codec: str) -> int:
    if value is None:
        return usual
    if not 0 <= value <= most:
        raise InvalidInput(f"{tensor} is {value}: give 0 to {most} for {codec}")
    return value
