# SPDX-License-Identifier: Apache-2.0
"""One recipe's run, and what the server itself counted meanwhile."""

import re
import shlex
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.perf_analyzer.recipes import Recipe, Servers
from benchmarks.perf_analyzer.regions import removed_at_the_end, tensor_names
from trireel_client._config import Address
from trireel_client.load_test.watch.scrape import Scrape, grown, read_metrics

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 300.0
GAUGE_SECONDS = 15.0  # the server looks at its live sequences every 5 s
POLL_SECONDS = 0.5
OUTPUT_LINES = 15


@dataclass(frozen=True)
class Counts:
    """What the server counted in a run, perf_analyzer's warm-up and end included."""

    requests: int
    """Answered by the recipe's model."""
    failures: int
    """Of any model."""
    chunks: int
    """Decoded."""
    live_sequences: int
    """Left at the end: begun and not ended."""


@dataclass(frozen=True)
class Run:
    """What came of a recipe."""

    command: str
    seconds: float
    measured: int
    """Requests that perf_analyzer's results are made of."""
    counts: Counts
    problems: list[str]
    """Why its numbers are not to be trusted; empty where they are."""

    def to_json_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def run_recipe(recipe: Recipe, servers: Servers, data: Path, csv: Path, quick: bool = False) -> Run:
    """Print a recipe's command line and run it, beside the server's own counts."""
    command = recipe.command(servers, data, csv, quick)
    print(f"$ {shlex.join(command)}", flush=True)
    csv.unlink(missing_ok=True)
    metrics = Address.parse(servers.metrics)
    tensors = tensor_names(servers.grpc, recipe.model) if recipe.shared_memory else []
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
    return Run(shlex.join(command), round(seconds, 1), measured, counts, problems)


def count(model: str, before: Scrape, after: Scrape) -> Counts:
    """Return what a server counted between two looks at its metrics."""
    between = grown(before, after)
    return Counts(
        requests=int(between.total("nv_inference_request_success", model)),
        failures=int(between.total("nv_inference_request_failure")),
        chunks=int(between.total("trireel_chunks_total")),
        live_sequences=int(after.total("trireel_live_sequences")),
    )


def find_problems(
    done: "subprocess.CompletedProcess[str]", counts: Counts, measured: int, csv: Path
) -> list[str]:
    """Tell what is wrong with a run, in sentences."""
    problems = []
    words = done.stderr.strip()
    if done.returncode or not csv.is_file():
        tail = "\n".join([*done.stdout.splitlines()[-OUTPUT_LINES:], words])
        problems.append(f"perf_analyzer ended with {done.returncode}:\n{tail}{_hint(words)}")
    elif "error" in words.lower():
        problems.append(f"perf_analyzer reports errors:\n{words}")
    if counts.failures:
        problems.append(f"the server counted {counts.failures} failed requests")
    if counts.requests < measured:
        problems.append(f"the server answered {counts.requests} requests, measured are {measured}")
    if counts.live_sequences:
        problems.append(f"{counts.live_sequences} sequences were begun and not ended")
    return problems


def _hint(words: str) -> str:
    if "restricted" not in words:
        return ""
    return "\nStart the server with --allow-client-shared-memory for the recipes in shared memory."


def _await_ended_sequences(metrics: Address) -> None:
    deadline = time.monotonic() + GAUGE_SECONDS
    while time.monotonic() < deadline and read_metrics(metrics).total("trireel_live_sequences"):
        time.sleep(POLL_SECONDS)
