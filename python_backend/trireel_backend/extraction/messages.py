# SPDX-License-Identifier: Apache-2.0
"""Tasks and their results as JSON, between an extractor's process and its owner.

Not pickled: a decoder that a hostile file has taken over must not be able to make its owner run
code. Pixels go through shared memory beside the message.
"""

import dataclasses
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend import errors
from trireel_backend.errors import RequestError, StageFailed
from trireel_backend.extraction.limits import ExtractionLimits
from trireel_backend.extraction.task import (
    Extracted,
    ExtractionTask,
    ExtractorOptions,
    Frames,
    VideoInfo,
)
from trireel_backend.extraction.view import Crop, View
from trireel_backend.plan import Chunk, Sampling

MAX_MESSAGE_BYTES = 2**20


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker is started with."""

    socket_fd: int
    """Tasks come here, and results go back."""
    pixels_fd: int
    """Shared memory that the frames are written to."""
    pixels_bytes: int
    owner_pid: int
    options: str
    """`ExtractorOptions` as JSON."""


def encode(value: ExtractionTask | ExtractorOptions) -> bytes:
    """Return a task or options as JSON."""
    return json.dumps(dataclasses.asdict(value), default=str).encode()


def decode_task(message: bytes) -> ExtractionTask:
    """Read what `encode` made of a task."""
    values = json.loads(message)
    view, crop = values["view"], values["view"]["crop"]
    return ExtractionTask(
        **values
        | {
            "path": Path(values["path"]),
            "sampling": Sampling(**values["sampling"]),
            "starts_seconds": tuple(values["starts_seconds"]),
            "view": View(view["size_px"], None if crop is None else Crop(**crop)),
        }
    )


def decode_options(message: str | bytes) -> ExtractorOptions:
    """Read what `encode` made of options."""
    values = json.loads(message)
    return ExtractorOptions(**values | {"limits": ExtractionLimits(**values["limits"])})


def encode_result(result: Extracted) -> bytes:
    """Return a result as JSON, but for the pixels."""
    values = {
        "info": dataclasses.asdict(result.info),
        "chunks": [dataclasses.asdict(chunk) for chunk in result.chunks],
        "frames": [_frames_values(frames) for frames in result.frames],
        "decoder": result.decoder,
        "began_ns": result.began_ns,
        "ended_ns": result.ended_ns,
    }
    return json.dumps(values).encode()


def _frames_values(frames: Frames) -> dict[str, Any]:
    return {
        "pts": frames.pts.tolist(),
        "time_base": frames.time_base.as_integer_ratio(),
        "damaged_packets": frames.damaged_packets,
    }


def encode_error(error: RequestError) -> bytes:
    """Return a refusal as JSON."""
    return json.dumps({"error": type(error).__name__, "message": str(error)}).encode()


def decode_result(message: bytes, pixels: NDArray[np.uint8]) -> Extracted:
    """Read a result.

    Args:
        pixels: [at least as many as frames, S, S, 3], where they were written.

    Raises:
        RequestError: the message is a refusal.
    """
    values = json.loads(message)
    if "error" in values:
        raise _error_class(values["error"])(values["message"])
    info = values["info"]
    streams = tuple(info["video_stream_indices"])
    count = sum(len(frames["pts"]) for frames in values["frames"])
    pixels = pixels[:count].copy()  # the next task's are written to the same place
    return Extracted(
        info=VideoInfo(**info | {"video_stream_indices": streams}),
        pixels=pixels,
        chunks=tuple(Chunk(**chunk) for chunk in values["chunks"]),
        frames=_frames(values["frames"], pixels),
        decoder=values["decoder"],
        began_ns=values["began_ns"],
        ended_ns=values["ended_ns"],
    )


def _frames(parts: list[dict[str, Any]], pixels: NDArray[np.uint8]) -> tuple[Frames, ...]:
    frames, at = [], 0
    for part in parts:
        pts = np.array(part["pts"], np.int64)
        time_base = Fraction(*part["time_base"])
        of_chunk = pixels[at : at + len(pts)]
        frames.append(Frames(of_chunk, pts, time_base, part["damaged_packets"]))
        at += len(pts)
    return tuple(frames)


def _error_class(name: str) -> type[RequestError]:
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, RequestError):
        return found
    return StageFailed


def as_frames(pixels: NDArray[Any], size_px: int) -> NDArray[np.uint8]:
    """Return flat memory as [as many as fit, S, S, 3]."""
    frame_bytes = size_px * size_px * 3
    count = len(pixels) // frame_bytes
    return pixels[: count * frame_bytes].reshape(count, size_px, size_px, 3)
