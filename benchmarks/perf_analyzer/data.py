# SPDX-License-Identifier: Apache-2.0
"""Input data for perf_analyzer, made from a real video by asking a server.

Run: python -m benchmarks.perf_analyzer.data benchmarks/perf_analyzer/data
with `scripts/serve` running, or another server at --grpc-url whose media folder has the video.
"""

import argparse
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

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE

ROOT = Path(__file__).parents[2]
MEDIA = ROOT / "media"
EXPORT = ROOT / "export/tiny/model"
VIDEO = "sample.mp4"
FRAMES = 64
"""Taken from all over the video; batches are made of neighbours."""
STREAMS = 4

Step = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """What requests are made of."""

    video: str
    """Its name in the server's media folder."""
    video_bytes: bytes
    frames: NDArray[np.uint8]
    """[f, S, S, 3] RGB, as the server's extractor samples them."""
    starts_seconds: Sequence[float]
    """Where the server's chunks of the video begin."""
    texts: Sequence[str]
    """Tags and descriptions of the export's bank."""


def input_data(material: Material) -> dict[str, list[Any]]:
    """Return the data of every file: a list of steps, or of streams where there are sequences."""
    return {
        "frames.json": [{"FRAMES": {"b64": _b64(frame.tobytes())}} for frame in material.frames],
        "texts.json": [{"TEXTS": [text]} for text in material.texts],
        "chunks.json": list(_streams(material.video, material.starts_seconds)),
        "videos.json": [{"VIDEO": [material.video]}],
        "uploads.json": [{"VIDEO_DATA": _string(material.video_bytes)}],
    }


def _streams(video: str, starts_seconds: Sequence[float]) -> Iterator[list[Step]]:
    """Yield streams of different lengths: the first sees all of a video, others join it later.

    perf_analyzer takes them in turn, begins each with START, and sets END on its last step.
    """
    for first in range(min(STREAMS, len(starts_seconds))):
        yield [{"VIDEO": [video], "START_SECONDS": [start]} for start in starts_seconds[first:]]


def _string(value: bytes) -> dict[str, Any]:
    # An element of a BYTES tensor as it goes over the wire: its length, then its bytes.
    return {"b64": _b64(struct.pack("<I", len(value)) + value), "shape": [1]}


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def ask(client: triton.InferenceServerClient, video: str) -> tuple[NDArray[np.uint8], list[float]]:
    """Have a server's extractor sample a video and tell its plan.

    Returns:
        frames [f, S, S, 3] RGB; where the chunks of the video begin, in seconds.
    """
    look = _extract(client, {"VIDEO": _bytes(video), "FRAMES_PER_CHUNK": _int(0)})
    whole_seconds = look.as_numpy("VIDEO_DURATION_SECONDS")
    sampled = _extract(
        client,
        {
            "VIDEO": _bytes(video),
            "CHUNK_SECONDS": whole_seconds,
            "FRAMES_PER_CHUNK": _int(FRAMES),
        },
    )
    return sampled.as_numpy("FRAMES"), look.as_numpy("PLAN_START_SECONDS").tolist()


def _bytes(text: str) -> NDArray[np.object_]:
    return np.array([text.encode()], np.object_)


def _int(value: int) -> NDArray[np.int32]:
    return np.array([value], np.int32)


def _extract(
    client: triton.InferenceServerClient, arrays: dict[str, NDArray[Any]]
) -> triton.InferResult:
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


def make(folder: Path, grpc_url: str, media: Path, video: str, export: Path) -> None:
    """Ask a server for what is needed and write all files of input data into a folder."""
    with triton.InferenceServerClient(grpc_url) as client:
        frames, starts_seconds = ask(client, video)
    material = Material(
        video, (media / video).read_bytes(), frames, starts_seconds, bank_texts(export)
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in input_data(material).items():
        (folder / name).write_text(json.dumps({"data": data}))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what the data is made of."""
    add = parser.add_argument
    add("--media", type=Path, default=MEDIA, help="folder of videos, as the server has it")
    add("--video", default=VIDEO, help="a video in that folder")
    add("--export", type=Path, default=EXPORT, help="whose text bank gives the phrases")


def main() -> None:
    """Make the data."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grpc-url", default="127.0.0.1:8001")
    add_options(parser)
    given = parser.parse_args()
    make(given.folder, given.grpc_url, given.media, given.video, given.export)


if __name__ == "__main__":
    main()
