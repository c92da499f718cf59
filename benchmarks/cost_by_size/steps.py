# SPDX-License-Identifier: Apache-2.0
"""The decoder, served and alone: by tags of the bank and by live sequences."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton
from google.protobuf import text_format
from numpy.typing import NDArray

from benchmarks.common.footprint import Footprint
from benchmarks.common.record import ROOT
from benchmarks.common.server import Command, running, served
from benchmarks.common.towers import BASE, SO400M, TINY
from benchmarks.cost_by_size.banks import export_with_bank, unit_rows, write_bank
from benchmarks.cost_by_size.points import Point, median
from trireel_backend.launch.repository.assemble import load_config
from trireel_backend.launch.server import MODELS_ENVIRONMENT
from trireel_client._config import Address
from trireel_client.load_test.watch.scrape import read_metrics

TAGS = (20, 200, 2_000, 20_000, 100_000)
SEQUENCES = (1, 10, 100, 1_000, 10_000)
WIDTHS = (TINY.width, BASE.width, SO400M.width)
SERVED = f"served over gRPC, {TINY.width} wide"
FRAMES = 16
ROUNDS = 3
CHUNKS = 100  # steps of a round of one sequence
STEPS = 1_000  # steps of a round of several sequences in turn
ONE_VIDEO = 1


class Steps:
    """A client of temporal_decoder that sends one chunk after another."""

    def __init__(self, address: str) -> None:
        self._client = triton.InferenceServerClient(address)
        self._count = itertools.count()
        self._pictures = unit_rows(np.random.default_rng(7), FRAMES, TINY.width)

    def step(self, identity: int, number: int, *, start: bool = False, end: bool = False) -> None:
        """Decode a chunk of a sequence."""
        times = np.arange(FRAMES) * 0.6 + 10.0 * next(self._count)  # none comes late
        tensors = [
            _tensor("EMBEDDINGS", "FP32", np.roll(self._pictures, identity + number, axis=0)),
            _tensor("TIMESTAMPS", "FP64", times),
        ]
        sequence = {"sequence_id": identity, "sequence_start": start, "sequence_end": end}
        self._client.infer("temporal_decoder", tensors, **sequence)

    def rounds(self, sequences: int, steps: int) -> list[float]:
        """Return the median seconds of a step for each round over open sequences, in turn."""
        found = []
        for number in range(1, ROUNDS + 1):
            times = []
            for identity in np.arange(steps) * max(1, sequences // steps) % sequences + 1:
                began = time.perf_counter()
                self.step(int(identity), number)
                times.append(time.perf_counter() - began)
            found.append(median(times))
        return found


def tags(folder: Path) -> Iterator[Point]:
    """Yield the cost of a chunk by the tags of the bank: alone in several widths, and served."""
    for width in WIDTHS:
        for count in TAGS:
            yield _alone_point(folder, width, count, ONE_VIDEO, CHUNKS, size=count)
    for count in TAGS:
        with tempfile.TemporaryDirectory(dir=folder) as name:
            began = time.monotonic()
            command = served("--export", str(export_with_bank(count, Path(name))))
            with running(command) as (footprint, _):
                ready = time.monotonic() - began
                steps = Steps(command.address)
                steps.step(ONE_VIDEO, 0, start=True)
                seconds = steps.rounds(ONE_VIDEO, CHUNKS)
                pss_mib = footprint.total_pss_mib()
                steps.step(ONE_VIDEO, ROUNDS + 1, end=True)
        yield Point(SERVED, count, f"{count:,}", seconds, pss_mib, load_seconds=ready)


def sequences(folder: Path) -> Iterator[Point]:
    """Yield the cost of a step by the number of open sequences: served, and alone."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        models = models_with_room(max(SEQUENCES), Path(name) / "models")
        command = served("--models", str(models))
        with running(command) as (footprint, _):
            yield from _open_more_and_more(command, footprint)
    for count in SEQUENCES:
        yield _alone_point(folder, BASE.width, TAGS[0], count, STEPS, size=count)


def models_with_room(most: int, target: Path) -> Path:
    """Return a copy of the model repository that accepts `most` sequences of clients."""
    shutil.copytree(ROOT / "model_repository", target, ignore=shutil.ignore_patterns("__pycache__"))
    decoder = target / "temporal_decoder"
    config = load_config(decoder, "embedded")
    oldest = config.sequence_batching.oldest
    oldest.max_candidate_sequences = max(oldest.max_candidate_sequences, most + 1)
    config.parameters["max_sequences"].string_value = str(most)
    (decoder / "config.pbtxt").write_text(text_format.MessageToString(config))
    return target


def _open_more_and_more(command: Command, footprint: Footprint) -> Iterator[Point]:
    steps, opened = Steps(command.address), 0
    for count in SEQUENCES:
        for identity in range(opened + 1, count + 1):
            steps.step(identity, 0, start=True)
        opened = count
        _check_live(command, opened)
        seconds = steps.rounds(opened, STEPS)
        yield Point(SERVED, count, f"{count:,}", seconds, footprint.total_pss_mib())
    for identity in range(1, opened + 1):
        steps.step(identity, ROUNDS + 1, end=True)
    _check_live(command, 0)


def _check_live(command: Command, wanted: int) -> None:
    """Raise RuntimeError unless the decoder reports `wanted` open sequences."""
    live = read_metrics(Address.parse(command.metrics)).total("trireel_live_sequences")
    if live != wanted:
        raise RuntimeError(f"{wanted} sequences should be open, the decoder reports {live}")


def _alone_point(
    folder: Path, width: int, tags: int, sequences: int, chunks: int, *, size: int
) -> Point:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        write_bank(tags, width, Path(name))
        found = alone(Path(name), sequences, chunks)
    return Point(f"decoder alone, {width} wide", size, f"{size:,}", **found)


def alone(folder: Path, sequences: int, chunks: int) -> dict[str, object]:
    """Return the cost of the decoder in a process of its own, with the bank of a folder."""
    command = [sys.executable, "-m", "benchmarks.cost_by_size.decoder"]
    command += [str(folder), str(sequences), str(chunks)]
    environment = {**os.environ, **MODELS_ENVIRONMENT}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _tensor(name: str, kind: str, array: NDArray) -> triton.InferInput:
    tensor = triton.InferInput(name, list(array.shape), kind)
    tensor.set_data_from_numpy(np.ascontiguousarray(array))
    return tensor
