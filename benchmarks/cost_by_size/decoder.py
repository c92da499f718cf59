# SPDX-License-Identifier: Apache-2.0
"""The decoder alone, loaded as by temporal_decoder, in a process of its own; prints JSON.

Started by the benchmark with the environment of a model's process:
python -m benchmarks.cost_by_size.decoder FOLDER SEQUENCES CHUNKS
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from google.protobuf import json_format
from numpy.typing import NDArray

from benchmarks.common.pages import MIB
from benchmarks.common.record import ROOT
from benchmarks.cost_by_size.banks import unit_rows
from trireel_backend.artifacts import load_metadata
from trireel_backend.launch.repository.assemble import load_config
from trireel_backend.metrics.family import Tally
from trireel_backend.models.temporal_decoder import SequenceDecoder
from trireel_backend.wire.request import Request
from trireel_schema.files import METADATA_FILE

FRAMES = 16
ROUNDS = 3
MOST_SEQUENCES = 10_000


def load(folder: Path) -> SequenceDecoder:
    """Load the bank of a folder with the settings of the model repository."""
    config = load_config(ROOT / "model_repository/temporal_decoder", "embedded")
    config.parameters["max_sequences"].string_value = str(MOST_SEQUENCES)
    text = json_format.MessageToJson(config, preserving_proto_field_name=True)
    return SequenceDecoder.of_model(folder, text, Tally(), _no_model)


async def _no_model(model_name: str, *_: object, **__: object) -> dict[str, NDArray[Any]]:
    raise AssertionError(f"{model_name} was called")


def chunk(
    embeddings: NDArray[np.float32], number: int, identity: int, *, start: bool, end: bool
) -> Request:
    """Return a request of one chunk."""
    arrays = {
        "EMBEDDINGS": embeddings,
        "TIMESTAMPS": np.arange(len(embeddings)) + 10.0 * number,
        "CHUNK_DURATION_SECONDS": np.array([10.0]),
    }
    return Request(array=arrays.get, correlation_id=identity, starts=start, ends=end)


def pss_mib() -> float:
    """Return the proportional set size of this process."""
    return float(psutil.Process().memory_full_info().pss) / MIB


def measure(folder: Path, sequences: int, chunks: int) -> dict[str, object]:
    """Open sequences, decode rounds of chunks in turn, and end the sequences."""
    width = load_metadata(folder / METADATA_FILE).embedding_dim
    rng = np.random.default_rng(7)
    pictures = [unit_rows(rng, FRAMES, width) for _ in range(32)]
    began = time.perf_counter()
    decoder = load(folder)
    load_seconds, most = time.perf_counter() - began, pss_mib()
    for identity in range(1, sequences + 1):
        decoder.answer(chunk(pictures[identity % 32], 0, identity, start=True, end=False))
    rounds = []
    for number in range(1, ROUNDS + 1):
        times = []
        for index in range(chunks):
            identity = index * max(1, sequences // chunks) % sequences + 1
            request = chunk(pictures[index % 32], number, identity, start=False, end=False)
            began = time.perf_counter()
            decoder.answer(request)
            times.append(time.perf_counter() - began)
        rounds.append(float(np.median(times)))
        most = max(most, pss_mib())
    for identity in range(1, sequences + 1):
        decoder.answer(chunk(pictures[0], ROUNDS + 1, identity, start=False, end=True))
    return {"seconds": rounds, "pss_mib": most, "load_seconds": load_seconds}


def main() -> None:
    """Measure with the arguments of the command line."""
    folder, sequences, chunks = sys.argv[1:]
    print(json.dumps(measure(Path(folder), int(sequences), int(chunks))))


if __name__ == "__main__":
    main()
