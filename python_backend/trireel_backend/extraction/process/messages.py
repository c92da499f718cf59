# SPDX-License-Identifier: Apache-2.0
"""Tasks and their results between an extractor's process and its owner: a line of JSON each.

Messages are not pickled, and every value of a result is checked: a decoder compromised by a hostile
file must not make its owner run code or fail. Pixels go through shared memory beside the message.
"""

import dataclasses
import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend import errors
from trireel_backend.errors import RequestError, StageFailed
from trireel_backend.extraction.limits import ExtractionLimits
from trireel_backend.extraction.process.facts import finite, info_of, info_values, size_px_of
from trireel_backend.extraction.task import (
    Extracted,
    ExtractionTask,
    ExtractorOptions,
    Frames,
    SecondView,
)
from trireel_backend.extraction.view import Crop, View
from trireel_backend.plan import MAX_CHUNKS, Chunk, Sampling, Selection
from trireel_backend.system.paths import native_path, path_text

MAX_MESSAGE_BYTES = 2**20
READY = b'{"ready": true}\n'
"""First line of a worker: it accepts tasks."""


@dataclass(frozen=True)
class WorkerSetup:
    """Parameters of a worker process."""

    socket_fd: int
    """Descriptor of the socket for tasks and results."""
    pixels_fd: int
    """Descriptor of the shared memory that the frames are written to."""
    pixels_bytes: int
    """Size of the shared memory in bytes."""
    second_bytes: int
    """Bytes at the end of the shared memory for the frames of second views."""
    owner_pid: int
    """Process id of the owner, with which the worker ends."""
    options: str
    """`ExtractorOptions` as JSON."""


def encode(value: ExtractionTask | ExtractorOptions) -> str:
    """Return a task or options as JSON."""
    return json.dumps(dataclasses.asdict(value), default=path_text)


def encode_task(number: int, task: ExtractionTask) -> bytes:
    """Return a task as a line; its answer has the same number."""
    return f'{{"number": {number}, "task": {encode(task)}}}\n'.encode()


def decode_task(line: bytes) -> tuple[int, ExtractionTask]:
    """Read what `encode_task` wrote."""
    message = json.loads(line)
    values = message["task"]
    task = ExtractionTask(
        **values
        | {
            "path": native_path(values["path"]),
            "sampling": Sampling(**values["sampling"]),
            "starts_seconds": tuple(values["starts_seconds"]),
            "view": _view(values["view"]),
            "second_views": tuple(
                SecondView(
                    **other
                    | {"view": _view(other["view"]), "selection": Selection(other["selection"])}
                )
                for other in values["second_views"]
            ),
        }
    )
    return message["number"], task


def _view(values: dict[str, Any]) -> View:
    crop = values["crop"]
    return View(**values | {"crop": None if crop is None else Crop(**crop)})


def decode_options(message: str) -> ExtractorOptions:
    """Read what `encode` made of options."""
    values = json.loads(message)
    return ExtractorOptions(**values | {"limits": ExtractionLimits(**values["limits"])})


def encode_result(number: int, result: Extracted, *, is_worn_out: bool) -> bytes:
    """Return a result as a line, without the pixels.

    Args:
        is_worn_out: True if the worker must be replaced because it cannot free its memory.
    """
    values = {
        "number": number,
        "is_worn_out": is_worn_out,
        "info": info_values(result.info),
        "chunks": [dataclasses.asdict(chunk) for chunk in result.chunks],
        "frames": [_frames_values(frames) for frames in result.frames],
        "second_frames": [
            [_frames_values(frames) for frames in views] for views in result.second_frames
        ],
        "decoder": result.decoder,
        "picture_size_px": result.picture_size_px,
        "began_ns": result.began_ns,
        "ended_ns": result.ended_ns,
        "plan": [(chunk.start_seconds, chunk.duration_seconds) for chunk in result.plan],
    }
    return json.dumps(values).encode() + b"\n"


def _frames_values(frames: Frames) -> dict[str, Any]:
    return {
        "pts": frames.pts.tolist(),
        "time_base": frames.time_base.as_integer_ratio(),
        "damaged_packets": frames.damaged_packets,
        "shown": frames.shown,
    }


def encode_error(number: int, error: RequestError, *, is_worn_out: bool) -> bytes:
    """Return an error as a line."""
    values = {
        "number": number,
        "is_worn_out": is_worn_out,
        "error": type(error).__name__,
        "message": str(error),
    }
    return json.dumps(values).encode() + b"\n"


# Errors while reading a line that a correct worker would not write.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True)
class Answer:
    """A worker's answer to a task."""

    result: Extracted | RequestError
    """Result of the task, or its error."""
    is_worn_out: bool
    """True if the worker must be replaced because it cannot free its memory."""


class Nonsense(Exception):
    """The line is not an answer to the task."""


def decode_answer(
    line: bytes,
    number: int,
    task: ExtractionTask,
    pixels: NDArray[np.uint8],
    second: NDArray[np.uint8],
) -> Answer:
    """Read the answer to a task, and check all of it.

    Args:
        pixels: [number of frames or more, H, W, 3] memory that they were written to.
        second: [bytes] memory that the frames of second views were written to.

    Raises:
        Nonsense: if a correct worker would not write the line.
    """
    try:
        values = json.loads(line)
        if values["number"] != number:
            raise Nonsense(f"an answer to task {values['number']}, not {number}")
        is_worn_out = bool(values["is_worn_out"])
        if "error" in values:
            return Answer(_error_class(values["error"])(str(values["message"])), is_worn_out)
        return Answer(_result(values, task, pixels, second), is_worn_out)
    except MALFORMED as error:
        raise Nonsense(repr(error)) from error


def _result(
    values: dict[str, Any],
    task: ExtractionTask,
    pixels: NDArray[np.uint8],
    second: NDArray[np.uint8],
) -> Extracted:
    chunks = tuple(_chunk(chunk) for chunk in values["chunks"])
    counts = [len(frames["pts"]) for frames in values["frames"]]
    if len(chunks) != len(counts) or len(chunks) != max(1, len(task.starts_seconds)):
        raise Nonsense(f"{len(chunks)} chunks with {len(counts)} lots of frames")
    for chunk, count in zip(chunks, counts, strict=True):
        if count > task.sampling.count(min(chunk.duration_seconds, task.chunk_seconds)):
            raise Nonsense(f"{count} frames of one chunk")
    if sum(counts) > len(pixels):
        raise Nonsense(f"{sum(counts)} frames in memory for {len(pixels)}")
    copies = pixels[: sum(counts)].copy()  # the next task overwrites the shared memory
    return Extracted(
        info=info_of(values["info"]),
        pixels=copies,
        chunks=chunks,
        frames=_frames(values["frames"], copies),
        decoder=str(values["decoder"]),
        picture_size_px=size_px_of(values["picture_size_px"]),
        began_ns=int(values["began_ns"]),
        ended_ns=int(values["ended_ns"]),
        plan=_plan(values["plan"]) if task.with_plan else (),
        second_frames=_second_frames(values["second_frames"], task, second),
    )


def _second_frames(
    chunks: list[list[dict[str, Any]]], task: ExtractionTask, memory: NDArray[np.uint8]
) -> tuple[tuple[Frames, ...], ...]:
    """Return copies of the frames of second views, which are stored in sequence."""
    second, begin = [], 0
    for views in chunks if task.second_views else ():
        frames: list[Frames] = []
        for values, second_view in zip(views, task.second_views, strict=True):
            count = len(values["pts"])
            end = begin + count * second_view.view.frame_bytes
            if count > second_view.max_frames or end > len(memory):
                raise Nonsense(f"{count} frames of a second view")
            pixels = memory[begin:end].reshape(second_view.view.shape(count)).copy()
            frames += _frames([values], pixels)
            begin = end
        second.append(tuple(frames))
    return tuple(second)


def _plan(values: list[Any]) -> tuple[Chunk, ...]:
    if not 1 <= len(values) <= MAX_CHUNKS:
        raise Nonsense(f"a plan of {len(values)} chunks")
    return tuple(
        Chunk(index, finite(start_seconds), finite(duration_seconds))
        for index, (start_seconds, duration_seconds) in enumerate(values)
    )


def _chunk(values: dict[str, Any]) -> Chunk:
    return Chunk(
        int(values["index"]),
        finite(values["start_seconds"]),
        finite(values["duration_seconds"]),
    )


def _frames(parts: list[dict[str, Any]], pixels: NDArray[np.uint8]) -> tuple[Frames, ...]:
    frames, at = [], 0
    for part in parts:
        pts = np.array(part["pts"], np.int64).reshape(-1)
        time_base = Fraction(*part["time_base"])
        chunk_pixels = pixels[at : at + len(pts)]
        left, top, width, height = map(finite, part["shown"])
        shown = (left, top, width, height)
        frames.append(Frames(chunk_pixels, pts, time_base, int(part["damaged_packets"]), shown))
        at += len(pts)
    return tuple(frames)


def _error_class(name: str) -> type[RequestError]:
    error_class = getattr(errors, name, None)
    if isinstance(error_class, type) and issubclass(error_class, RequestError):
        return error_class
    return StageFailed


def as_frames(pixels: NDArray[Any], view: View) -> NDArray[np.uint8]:
    """Return flat memory as [as many as fit, H, W, 3]."""
    count = len(pixels) // view.frame_bytes
    return pixels[: count * view.frame_bytes].reshape(view.shape(count))


def split_memory(
    memory: NDArray[np.uint8], second_bytes: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the parts of shared memory for a task's own frames and for second views."""
    first_bytes = len(memory) - second_bytes
    return memory[:first_bytes], memory[first_bytes:]
