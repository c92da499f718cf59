# SPDX-License-Identifier: Apache-2.0
"""Input data for perf_analyzer, made from the bundled sample by requests to a server."""

import base64
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc as triton
from numpy.typing import NDArray

from benchmarks.common.record import ROOT
from benchmarks.common.server import EXPORT
from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE

VIDEO = ROOT / "media/sample.mp4"
FRAMES = 64
"""Number of frames, from all over the video; neighbours make a batch."""
STREAMS = 4
Step = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """The contents of requests."""

    video: str
    """Name of the video in the server's media folder."""
    video_bytes: bytes
    frames: NDArray[np.uint8]
    """Frames [f, S, S, 3] RGB, as the server's extractor samples them."""
    starts_seconds: Sequence[float]
    """Start times of the server's chunks of the video."""
    texts: Sequence[str]
    """Tags and descriptions of the export's bank."""


def input_data(material: Material) -> dict[str, list[Any]]:
    """Return the data of every file: a list of steps, or of streams for sequences."""
    return {
        "frames.json": [{"FRAMES": {"b64": _b64(frame.tobytes())}} for frame in material.frames],
        "texts.json": [{"TEXTS": [text]} for text in material.texts],
        "chunks.json": list(_streams(material.video, material.starts_seconds)),
        "videos.json": [{"VIDEO": [material.video]}],
        "uploads.json": [{"VIDEO_DATA": _string(material.video_bytes)}],
    }


def _streams(video: str, starts_seconds: Sequence[float]) -> Iterator[list[Step]]:
    """Yield streams of different lengths: the first has all chunks, the others begin later.

    perf_analyzer takes them in turn, begins each with START, and sets END on its last step.
    """
    for first in range(min(STREAMS, len(starts_seconds))):
        yield [{"VIDEO": [video], "START_SECONDS": [start]} for start in starts_seconds[first:]]


def _string(value: bytes) -> dict[str, Any]:
    # An element of a BYTES tensor on the wire: its length, then its bytes.
    return {"b64": _b64(struct.pack("<I", len(value)) + value), "shape": [1]}


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def sample(client: triton.InferenceServerClient, video: str) -> tuple[Any, list[float]]:
    """Return frames [f, S, S, 3] RGB of a video, and the start times of its chunks in seconds."""
    name = np.array([video.encode()], np.object_)
    look = _extract(client, VIDEO=name, FRAMES_PER_CHUNK=np.array([0], np.int32))
    sampled = _extract(
        client,
        VIDEO=name,
        CHUNK_SECONDS=look.as_numpy("VIDEO_DURATION_SECONDS"),
        FRAMES_PER_CHUNK=np.array([FRAMES], np.int32),
    )
    return sampled.as_numpy("FRAMES"), look.as_numpy("PLAN_START_SECONDS").tolist()


def _extract(client: triton.InferenceServerClient, **arrays: NDArray[Any]) -> triton.InferResult:
    inputs = []
    for name, array in arrays.items():
        dtype = triton.np_to_triton_dtype(array.dtype)
        inputs.append(triton.InferInput(name, list(array.shape), dtype))
        inputs[-1].set_data_from_numpy(array)
    return client.infer("frame_extractor", inputs)


def bank_texts(export: Path) -> list[str]:
    """Return the tags and descriptions of an export."""
    bank = load_text_bank(export / TEXT_BANK_FILE, load_metadata(export / METADATA_FILE))
    return [*bank.tags.texts, *bank.descriptions.texts]


def make(folder: Path, grpc_url: str) -> None:
    """Write all files of input data into a folder, with frames and chunks from a server."""
    with triton.InferenceServerClient(grpc_url) as client:
        frames, starts_seconds = sample(client, VIDEO.name)
    texts = bank_texts(EXPORT)
    material = Material(VIDEO.name, VIDEO.read_bytes(), frames, starts_seconds, texts)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in input_data(material).items():
        (folder / name).write_text(json.dumps({"data": data}))
