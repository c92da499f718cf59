# SPDX-License-Identifier: Apache-2.0
"""One recipe's run, and the server's own counts of it."""

import contextlib
import re
import shlex
import subprocess
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tritonclient.grpc import InferenceServerClient

from benchmarks.common.record import ROOT
from benchmarks.common.server import Command
from benchmarks.perf_analyzer.recipes import Recipe
from trireel_backend.launch.run_folder import SHARED_MEMORY
from trireel_client._config import Address
from trireel_client.load_test.watch.scrape import Scrape, grown, read_metrics

TIMEOUT_SECONDS = 300.0
GAUGE_SECONDS = 15.0  # the server counts its live sequences every 5 s
POLL_SECONDS = 0.5
OUTPUT_LINES = 15
OF_A_STEP = re.compile(r"_\d+_\d+$")  # after an input's name: stream and step of the data


@dataclass(frozen=True)
class Counts:
    """The server's counts of a run, with perf_analyzer's warm-up and end."""

    requests: int
    """Requests that the recipe's model answered."""
    failures: int
    """Failed requests of any model."""
    chunks: int
    """Decoded chunks."""
    live_sequences: int
    """Sequences that were started and not ended."""


def run_recipe(
    recipe: Recipe, server: Command, data: Path, csv: Path, quick: bool = False
) -> dict[str, Any]:
    """Print a recipe's command line and run it.

    Returns:
        `command`, `seconds`, `measured` (requests behind perf_analyzer's results), `counts` of the
        server, and `problems`: sentences, empty if the numbers can be trusted.
    """
    url = server.address if recipe.protocol == "grpc" else server.http
    command = recipe.command(url, data, csv, quick)
    print(f"$ {shlex.join(command)}", flush=True)
    csv.unlink(missing_ok=True)
    metrics = Address.parse(server.metrics)
    tensors = _tensor_names(server.address, recipe.model) if recipe.shared_memory else []
    before, began = read_metrics(metrics), time.monotonic()
    with removed_at_the_end(tensors):
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    seconds = time.monotonic() - began
    if recipe.sequences:
        _await_ended_sequences(metrics)
    counts = count(recipe.model, before, read_metrics(metrics))
    measured = sum(map(int, re.findall(r"^ +Request count: (\d+)$", done.stdout, re.M)))
    problems = list(find_problems(done, counts, measured, csv))
    print("\n".join(problems or re.findall(r"^Concurrency: .+$", done.stdout, re.M)), flush=True)
    return {
        "command": shlex.join(command),
        "seconds": round(seconds, 1),
        "measured": measured,
        "counts": asdict(counts),
        "problems": problems,
    }


def count(model: str, before: Scrape, after: Scrape) -> Counts:
    """Return a server's counts between two readings of its metrics."""
    between = grown(before, after)
    return Counts(
        requests=int(between.total("nv_inference_request_success", model)),
        failures=int(between.total("nv_inference_request_failure")),
        chunks=int(between.total("trireel_chunks_total")),
        live_sequences=int(after.total("trireel_live_sequences")),
    )


def find_problems(
    done: "subprocess.CompletedProcess[str]", counts: Counts, measured: int, csv: Path
) -> Iterator[str]:
    """Yield the problems of a run, in sentences."""
    errors = done.stderr.strip()
    if done.returncode or not csv.is_file():
        tail = "\n".join([*done.stdout.splitlines()[-OUTPUT_LINES:], errors])
        yield f"perf_analyzer ended with {done.returncode}:\n{tail}"
    elif "error" in errors.lower():
        yield f"perf_analyzer reports errors:\n{errors}"
    if counts.failures:
        yield f"the server counted {counts.failures} failed requests"
    if counts.requests < measured:
        yield f"the server answered {counts.requests} requests, measured are {measured}"
    if counts.live_sequences:
        yield f"{counts.live_sequences} sequences were started and not ended"


@contextlib.contextmanager
def removed_at_the_end(tensors: Collection[str]) -> Iterator[None]:
    """Remove the regions of shared memory that perf_analyzer makes in the context.

    perf_analyzer itself leaves those that the server rejects, and all of them when it is killed.

    Args:
        tensors: names of the model's inputs and outputs, with which the regions' names begin. A
            region that exists before belongs to another process and is kept.
    """
    before = _regions(tensors)
    try:
        yield
    finally:
        for region in _regions(tensors) - before:
            region.unlink(missing_ok=True)


def _regions(tensors: Collection[str]) -> set[Path]:
    return {path for path in SHARED_MEMORY.iterdir() if OF_A_STEP.sub("", path.name) in tensors}


def _tensor_names(url: str, model: str) -> list[str]:
    with InferenceServerClient(url) as client:
        metadata = client.get_model_metadata(model)
    return [tensor.name for tensor in (*metadata.inputs, *metadata.outputs)]


def _await_ended_sequences(metrics: Address) -> None:
    deadline = time.monotonic() + GAUGE_SECONDS
    while time.monotonic() < deadline and read_metrics(metrics).total("trireel_live_sequences"):
        time.sleep(POLL_SECONDS)
