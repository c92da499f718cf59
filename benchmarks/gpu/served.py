# SPDX-License-Identifier: Apache-2.0
"""The tower behind the embedded Triton, asked over gRPC by several clients at once.

`python -m benchmarks.gpu` starts it, in the environment with the embedded Triton and NumPy below 2.
It tells what it finds on standard output, a JSON object a line.
"""

import argparse
import contextlib
import importlib.util
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.lines import tell
from benchmarks.gpu.sizes import BATCHES, SIZES, Size

MODEL = "siglip_vision"
CONCURRENCIES = (1, 2, 4, 8, 16)
LEAST_COSINE = 0.99  # of random weights in bf16; what this is to find is zeros and mixed-up rows
READY_SECONDS = 240.0
CALL_SECONDS = 120.0
ROOT = Path(__file__).parents[2]


def missing_parts(runtime: str) -> list[str]:
    """Return a sentence for everything that this environment lacks."""
    lacks = []
    if int(np.__version__.partition(".")[0]) >= 2:
        lacks.append(
            f"NumPy is {np.__version__}: the embedded Triton answers with empty tensors from 2 on;"
            " give --site a folder that has numpy<2"
        )
    needed = {"tritonclient.grpc": "tritonclient[grpc]", "trireel_backend": "python_backend/"}
    needed |= {"torch": "torch"} if runtime == "torch" else {"onnxruntime": "onnxruntime"}
    for module, where in needed.items():
        try:
            found = importlib.util.find_spec(module) is not None
        except ImportError as error:
            found, where = False, f"{where} ({error})"
        if not found:
            lacks.append(f"{module} does not import: {where} is needed")
    if lacks:
        return lacks
    from trireel_backend.errors import StartupError
    from trireel_backend.launch.embedded.wheel import find_libpython, find_wheel

    for find in (find_wheel, find_libpython):
        try:
            find()
        except StartupError as error:
            lacks.append(str(error))
    return lacks


def lay_out(folder: Path, arguments: argparse.Namespace, size: Size) -> Path:
    """Write a repository with the one model, and return where it is."""
    from google.protobuf import text_format
    from tritonclient.grpc import model_config_pb2

    ours = arguments.runtime == "torch"
    source = (ROOT / "benchmarks/gpu/models" if ours else ROOT / "model_repository") / MODEL
    name = "config.pbtxt" if ours else "configs/embedded.pbtxt"
    target = folder / "repository" / MODEL
    shutil.copytree(source / "1", target / "1", ignore=shutil.ignore_patterns("__pycache__"))
    config = text_format.Parse((source / name).read_text(), model_config_pb2.ModelConfig())
    config.input[0].dims[:2] = [size.image_size_px] * 2
    config.output[0].dims[0] = size.width
    config.instance_group[0].count = arguments.instances
    config.max_batch_size = max(BATCHES)
    if ours:
        config.parameters["work"].string_value = str(arguments.work)
    else:
        (target / "1/model.onnx").symlink_to(arguments.onnx.resolve())
    (target / "config.pbtxt").write_text(text_format.MessageToString(config))
    return folder / "repository"


@contextlib.contextmanager
def triton(arguments: argparse.Namespace, size: Size) -> Iterator[str]:
    """Run the embedded Triton with the tower, and yield where its gRPC port is."""
    from trireel_backend.launch.embedded.wheel import (
        find_wheel,
        make_backend_folder,
        server_environment,
    )
    from trireel_backend.launch.ports import LOOPBACK, Ports
    from trireel_backend.system.processes import end_with_parent

    wheel, ports = find_wheel(), Ports.free()
    log = arguments.work / "triton.log"
    with tempfile.TemporaryDirectory() as name, log.open("wb") as output:
        folder = Path(name)
        make_backend_folder(wheel, folder / "backends")
        flags = {
            "model-repository": lay_out(folder, arguments, size),
            "backend-directory": folder / "backends",
            "grpc-address": LOOPBACK,
            "grpc-port": ports.grpc,
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
        command = [
            *(str(wheel.server), "--disable-auto-complete-config"),
            *(f"--{flag}={value}" for flag, value in flags.items()),
            *(f"--backend-config=python,{key}={value}" for key, value in backend.items()),
        ]
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
            url = f"{LOOPBACK}:{ports.grpc}"
            wait_until_ready(url, process, log)
            yield url
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()
            for region in Path("/dev/shm").glob(f"{folder.name}_*"):
                region.unlink(missing_ok=True)


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the model answers; ends the program with Triton's last errors otherwise."""
    from tritonclient.utils import InferenceServerException

    deadline = time.monotonic() + READY_SECONDS
    with client(url) as one:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(InferenceServerException):
                if one.is_model_ready(MODEL):
                    return
            time.sleep(0.2)
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if line.startswith("E")] or lines
    sys.exit("Triton did not become ready; its log ends with:\n" + "\n".join(errors[-12:]))


def client(url: str) -> Any:
    """Return a client with a connection of its own."""
    from tritonclient.grpc import InferenceServerClient

    return InferenceServerClient(url, channel_args=[("grpc.use_local_subchannel_pool", 1)])


def request_of(frames: Any) -> Any:
    """Return the input of a request."""
    from tritonclient.grpc import InferInput

    tensor = InferInput("FRAMES", list(frames.shape), "UINT8")
    tensor.set_data_from_numpy(frames)
    return [tensor]


def check_answers(url: str, work: Path) -> float:
    """Return the worst cosine to the known embeddings; ends the program where one is too small."""
    with np.load(work / "known.npz") as known:
        frames, expected = known["frames"], known["embeddings"]
    with client(url) as one:
        got = one.infer(MODEL, request_of(frames)).as_numpy("EMBEDDINGS")
    if got is None or got.shape != expected.shape:
        sys.exit(f"the served tower answered {None if got is None else got.shape} instead of"
                 f" {expected.shape}: is NumPy below 2 in its environment?")  # fmt: skip
    worst = float((got * expected).sum(axis=1).min())
    if not worst >= LEAST_COSINE:
        sys.exit(f"the served tower's embedding has cosine {worst:.4f} to the loop's")
    return worst


class Load:
    """Clients that ask again as soon as they are answered."""

    def __init__(self, url: str, frames: Any, concurrency: int, seconds: float) -> None:
        self._url, self._frames, self._seconds = url, frames, seconds
        self._ends: list[float] = []
        self._errors: list[Exception] = []
        self.counted_before = (0, 0)
        # All are connected and have been answered once; then all begin together.
        self._warm, self._start = (
            threading.Barrier(concurrency + 1, timeout=CALL_SECONDS) for _ in range(2)
        )
        self._threads = [threading.Thread(target=self._ask) for _ in range(concurrency)]

    def run(self) -> tuple[int, float]:
        """Return how many answers there were and how long they took, until the last of them.

        The first batch finds the server idle, the last ones leave it so: both count.
        """
        for thread in self._threads:
            thread.start()
        self._warm.wait()
        self.counted_before = counts(self._url)
        self._start.wait()
        began = time.monotonic()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return len(self._ends), max(self._ends) - began

    def _ask(self) -> None:
        try:
            with client(self._url) as one:
                # No fewer frames: a compiled tower treats one by itself.
                one.infer(MODEL, request_of(self._frames[: BATCHES[0]]))
                self._warm.wait()
                inputs = request_of(self._frames)
                self._start.wait()
                stop = time.monotonic() + self._seconds
                while time.monotonic() < stop:
                    one.infer(MODEL, inputs, client_timeout=CALL_SECONDS)
                    self._ends.append(time.monotonic())
        except Exception as error:  # told by run()
            self._errors.append(error)
            self._warm.abort()
            self._start.abort()


def measure(url: str, frames: Any, concurrency: int, seconds: float) -> dict[str, Any]:
    """Return frames per second, and what the server itself counted meanwhile."""
    cell = {"batch": len(frames), "concurrency": concurrency}
    load, began = Load(url, frames, concurrency, seconds), time.monotonic()
    try:
        answers, took = load.run()
    except Exception as error:  # the other measurements may do
        return cell | {"error": f"{type(error).__name__}: {error}"[:300]}
    inferences, executions = (
        after - before for after, before in zip(counts(url), load.counted_before, strict=True)
    )
    return cell | {
        "frames_per_second": answers * len(frames) / took,
        "answers": answers,
        "seconds": took,
        "mean_executed_batch": inferences / executions,
        "began": began,
        "ended": time.monotonic(),
    }


def counts(url: str) -> tuple[int, int]:
    """Return what the server counted: frames and executions."""
    with client(url) as one:
        (stats,) = one.get_inference_statistics(MODEL).model_stats
    return stats.inference_count, stats.execution_count


def main() -> None:
    """Check the environment, or serve and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", choices=["torch", "onnxruntime"], required=True)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--instances", type=int, required=True)
    parser.add_argument("--onnx", type=Path)
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    arguments = parser.parse_args()
    lacks = missing_parts(arguments.runtime)
    if lacks or arguments.check:
        sys.exit("\n".join(lacks) or 0)
    from trireel_backend.launch.signals import unwind_on_signals

    unwind_on_signals()
    size = SIZES[arguments.size]
    side = size.image_size_px
    frames = np.random.default_rng(0).integers(
        0, 256, (max(BATCHES), side, side, 3), dtype=np.uint8
    )
    began = time.monotonic()
    with triton(arguments, size) as url:
        tell(ready_seconds=time.monotonic() - began)
        tell(worst_cosine=check_answers(url, arguments.work))
        for batch, concurrency in product(BATCHES, CONCURRENCIES):
            tell(served=measure(url, frames[:batch], concurrency, arguments.seconds))


if __name__ == "__main__":
    main()
