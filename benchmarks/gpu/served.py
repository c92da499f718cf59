# SPDX-License-Identifier: Apache-2.0
"""The tower behind the embedded Triton, under load of several gRPC clients.

A process of its own in the environment with the embedded Triton and NumPy below 2, started by
`python -m benchmarks.gpu`. It prints a line of JSON for each result.
"""

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format
from tritonclient.grpc import InferenceServerClient, InferInput, model_config_pb2
from tritonclient.utils import InferenceServerException

from benchmarks.common.record import ROOT
from benchmarks.common.towers import Size
from benchmarks.gpu.process import BATCHES, SIZES, read_options, report
from trireel_backend.launch.embedded.wheel import (
    find_wheel,
    make_backend_folder,
    server_environment,
)
from trireel_backend.launch.ports import LOOPBACK, Ports
from trireel_backend.launch.signals import unwind_on_signals
from trireel_backend.system.processes import end_with_parent

MODEL = "siglip_vision"
CONCURRENCIES = (1, 2, 4, 8, 16)
LEAST_COSINE = 0.99  # for random weights in bf16; the check finds zeros and mixed-up rows
READY_SECONDS = 240.0
CALL_SECONDS = 120.0


def check_numpy(version: str = np.__version__) -> None:
    """End the program if NumPy is not below 2."""
    if int(version.partition(".")[0]) >= 2:
        sys.exit(
            f"NumPy is {version}: from 2 on the embedded Triton answers with empty tensors;"
            " give --site a folder with numpy<2"
        )


def lay_out(folder: Path, options: argparse.Namespace, size: Size) -> Path:
    """Write a model repository with the tower, and return its folder."""
    in_torch = options.runtime == "torch"
    source = (ROOT / "benchmarks/gpu/models" if in_torch else ROOT / "model_repository") / MODEL
    name = "config.pbtxt" if in_torch else "configs/embedded.pbtxt"
    target = folder / "repository" / MODEL
    shutil.copytree(source / "1", target / "1", ignore=shutil.ignore_patterns("__pycache__"))
    config = text_format.Parse((source / name).read_text(), model_config_pb2.ModelConfig())
    config.input[0].dims[:2] = [size.image_size_px] * 2
    config.output[0].dims[0] = size.width
    config.instance_group[0].count = options.instances
    config.max_batch_size = max(BATCHES)
    if in_torch:
        config.parameters["work"].string_value = str(options.work)
    else:
        (target / "1/model.onnx").symlink_to(options.onnx.resolve())
    (target / "config.pbtxt").write_text(text_format.MessageToString(config))
    return folder / "repository"


@contextlib.contextmanager
def triton(options: argparse.Namespace, size: Size) -> Iterator[str]:
    """Run the embedded Triton with the tower; yields its gRPC address."""
    wheel, port = find_wheel(), Ports.free().grpc
    log = options.work / "triton.log"
    with tempfile.TemporaryDirectory() as name, log.open("wb") as output:
        folder = Path(name)
        make_backend_folder(wheel, folder / "backends")
        flags = {
            "model-repository": lay_out(folder, options, size),
            "backend-directory": folder / "backends",
            "grpc-address": LOOPBACK,
            "grpc-port": port,
            "allow-http": "false",
            "allow-metrics": "false",
            "exit-on-error": "true",
            "exit-timeout-secs": 5,
        }
        backend = {
            "stub-timeout-seconds": int(READY_SECONDS),  # the tower is compiled meanwhile
            "shm-default-byte-size": 64 * 2**20,
            "shm-growth-byte-size": 64 * 2**20,
            "shm-region-prefix-name": f"{folder.name}_",
        }
        command = [str(wheel.server), "--disable-auto-complete-config"]
        command += [f"--{flag}={value}" for flag, value in flags.items()]
        command += [f"--backend-config=python,{key}={value}" for key, value in backend.items()]
        process = subprocess.Popen(
            command,
            env=server_environment(wheel),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, signal.SIGTERM),
        )
        try:
            wait_until_ready(f"{LOOPBACK}:{port}", process, log)
            yield f"{LOOPBACK}:{port}"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()
            for region in Path("/dev/shm").glob(f"{folder.name}_*"):
                region.unlink(missing_ok=True)


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the model is ready; otherwise end the program with Triton's last errors."""
    deadline = time.monotonic() + READY_SECONDS
    with connect(url) as client:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(InferenceServerException):
                if client.is_model_ready(MODEL):
                    return
            time.sleep(0.2)
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if line.startswith("E")] or lines
    sys.exit("Triton did not become ready; its log ends with:\n" + "\n".join(errors[-12:]))


def connect(url: str) -> InferenceServerClient:
    """Return a client with a connection of its own."""
    return InferenceServerClient(url, channel_args=[("grpc.use_local_subchannel_pool", 1)])


def request_of(frames: Any) -> list[InferInput]:
    """Return the input of a request."""
    tensor = InferInput("FRAMES", list(frames.shape), "UINT8")
    tensor.set_data_from_numpy(frames)
    return [tensor]


def check_answers(url: str, work: Path) -> float:
    """Return the worst cosine to the known embeddings; end the program if it is too small."""
    with np.load(work / "known.npz") as known:
        frames, expected = known["frames"], known["embeddings"]
    with connect(url) as client:
        got = client.infer(MODEL, request_of(frames)).as_numpy("EMBEDDINGS")
    if got is None or got.shape != expected.shape:
        sys.exit(f"the served tower answered {got!r:.100}, not embeddings {expected.shape}")
    worst = float((got * expected).sum(axis=1).min())
    if not worst >= LEAST_COSINE:
        sys.exit(f"the served tower's embedding has cosine {worst:.4f} to the loop's")
    return worst


def measure(url: str, frames: Any, concurrency: int, seconds: float) -> dict[str, Any]:
    """Return frames per second of a closed loop of clients, and the server's mean batch.

    All clients are warm before the first measured request; the rate is up to the last answer.
    """
    cell = {"batch": len(frames), "concurrency": concurrency}
    warm, start = (threading.Barrier(concurrency + 1, timeout=CALL_SECONDS) for _ in range(2))

    def work() -> list[float]:
        ends: list[float] = []
        try:
            with connect(url) as client:
                # A whole batch: a compiled tower treats a single frame as another graph.
                client.infer(MODEL, request_of(frames[: BATCHES[0]]))
                inputs = request_of(frames)
                warm.wait()
                start.wait()
                stop = time.monotonic() + seconds
                while time.monotonic() < stop:
                    client.infer(MODEL, inputs, client_timeout=CALL_SECONDS)
                    ends.append(time.monotonic())
        except Exception:
            warm.abort()
            start.abort()
            raise
        return ends

    try:
        with ThreadPoolExecutor(concurrency) as pool:
            clients = [pool.submit(work) for _ in range(concurrency)]
            with contextlib.suppress(threading.BrokenBarrierError):
                warm.wait()
                before = counts(url)
                start.wait()
            began = time.monotonic()
            ends = [end for client in clients for end in client.result()]
    except Exception as error:  # other cells may still succeed
        return cell | {"error": f"{type(error).__name__}: {error}"[:300]}
    inferences, executions = (a - b for a, b in zip(counts(url), before, strict=True))
    took = max(ends) - began
    return cell | {
        "frames_per_second": len(ends) * len(frames) / took,
        "answers": len(ends),
        "seconds": took,
        "mean_executed_batch": inferences / executions,
    }


def counts(url: str) -> tuple[int, int]:
    """Return the server's counts of frames and of executions."""
    with connect(url) as client:
        (stats,) = client.get_inference_statistics(MODEL).model_stats
    return stats.inference_count, stats.execution_count


def main() -> None:
    """Serve and measure."""
    check_numpy()
    options = read_options(__doc__)
    unwind_on_signals()
    size = SIZES[options.size]
    shape = (max(BATCHES), size.image_size_px, size.image_size_px, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    began = time.monotonic()
    with triton(options, size) as url:
        report(ready_seconds=time.monotonic() - began)
        report(worst_cosine=check_answers(url, options.work))
        for batch, concurrency in product(BATCHES, CONCURRENCIES):
            report(served=measure(url, frames[:batch], concurrency, options.seconds))


if __name__ == "__main__":
    main()
