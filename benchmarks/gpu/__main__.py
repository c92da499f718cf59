# SPDX-License-Identifier: Apache-2.0
"""Frames per second of the served tower, of the tower in a plain loop, and of the machine's limit.

With a GPU the tower is one of so400m size with random weights: torch behind the project's adapter
in the embedded Triton, the same compiled tower in a plain loop, and the rate of one large bf16
product. TensorRT engines need NVIDIA's container and are not measured. Without a GPU it is the
bundled tiny tower in onnxruntime, as the embedded profile serves it, and a bare session.

On a machine without a network two environments are needed, because torch needs NumPy 2 and the
embedded Triton NumPy 1:
  this Python        torch, transformers, onnx, onnxruntime, tokenizers, pillow
  --site FOLDER      numpy<2, nvidia-pytriton, tritonclient[grpc]; searched before this Python's
benchmarks/gpu/pack makes an archive of the folder, 44 MB:
  here    benchmarks/gpu/pack .gpu                      writes .gpu/site.tar.xz, for Python 3.12
  there   mkdir /tmp/site && tar xJf .gpu/site.tar.xz -C /tmp/site
          ldconfig -p | grep -q libpython3.12.so.1.0 || ldconfig /tmp/site/lib
          python3 -m benchmarks.gpu --site /tmp/site --output results.json
A rehearsal without a GPU: python -m benchmarks.gpu --runtime torch --size tiny --output /tmp/r.json
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common.machine import core_names, describe
from benchmarks.common.record import ROOT, write_raw
from benchmarks.gpu.benchmark import BENCHMARK
from benchmarks.gpu.process import SIZES

PACKAGES = ("torch", "onnxruntime", "nvidia-pytriton", "tritonclient", "transformers")
ONNX = ROOT / "export/tiny/model/vision.onnx"

SECONDS = {"cuda": 5.0, "cpu": 2.0}


def gpu_name() -> str | None:
    """Return the first GPU's name and driver; None without a GPU."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout else None


def environment() -> dict[str, str]:
    """Return the environment of the measuring processes."""
    paths = [str(ROOT), str(ROOT / "python_backend"), str(ROOT / "export")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]).strip(os.pathsep),
        "PYTHONUNBUFFERED": "1",
        # The server's processes read the loop's compiled kernels and do not compile them again.
        "TORCHINDUCTOR_FX_GRAPH_CACHE": "1",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }


def server_python(folder: Path, site: Path | None) -> Path:
    """Make a virtual environment that has the packages of `site` before those of this Python.

    A model's process ignores PYTHONPATH; it uses the environment of the first python on PATH.
    """
    venv.create(folder, symlinks=True)
    config = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    ours = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    paths = [*([str(site.resolve())] if site else []), str(ROOT), str(ROOT / "python_backend")]
    # addsitedir reads the .pth files there too.
    lines = [*paths, *(f"import site; site.addsitedir({path!r})" for path in ours)]
    (Path(config["purelib"]) / "benchmark.pth").write_text("\n".join(lines) + "\n")
    return folder / "bin/python"


def lines_of(command: list[str], deadline: float) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of a measuring process, which is terminated at the deadline."""
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(max(1.0, deadline - time.monotonic()), process.terminate)
    timer.start()
    assert process.stdout is not None
    try:
        yield from (json.loads(line) for line in process.stdout if line.startswith("{"))
    finally:
        timer.cancel()
        process.terminate()
        code = process.wait()
    if time.monotonic() >= deadline:
        yield {"cut_off": command[2]}
    elif code:
        sys.exit(f"benchmarks.gpu: {command[2]} failed with {code}; its error is above")


def check_gpu(device: str) -> None:
    """End the program if torch is to use a GPU and sees none."""
    # In a process of its own: this one would keep some of the GPU's memory.
    code = "import sys, torch, transformers; sys.exit(not torch.cuda.is_available())"
    if device == "cuda" and subprocess.run([sys.executable, "-c", code], check=False).returncode:
        sys.exit("benchmarks.gpu: torch sees no GPU: give --device cpu, or a torch built for CUDA")


def run(arguments: argparse.Namespace) -> None:
    """Measure, and write the results again after every step."""
    deadline = time.monotonic() + 60 * arguments.minutes
    names = core_names()
    report: dict[str, Any] = {
        "machine": describe(PACKAGES)
        | {"gpu": gpu_name(), "processor": names[0], "cores": len(os.sched_getaffinity(0))},
        "runtime": arguments.runtime,
        "device": arguments.device,
        "size": arguments.size,
        "instances": arguments.instances,
        "flops_per_frame": SIZES[arguments.size].flops_per_frame,
        "loop": [],
        "served": [],
    }
    with tempfile.TemporaryDirectory(prefix="trireel-gpu-") as work:
        options = ["--runtime", arguments.runtime, "--size", arguments.size, "--work", work]
        options += ["--seconds", str(arguments.seconds), "--onnx", str(ONNX)]
        options += ["--device", arguments.device, "--instances", str(arguments.instances)]
        python = server_python(Path(work) / "python", arguments.site)
        loop = [sys.executable, "-m", "benchmarks.gpu.loop", *options]
        served = [str(python), "-m", "benchmarks.gpu.served", *options]
        # Without a GPU the machine does other work too: the loop is measured again at the end.
        for command in [loop, served, *([loop] if arguments.device == "cpu" else [])]:
            for found in lines_of(command, deadline):
                print(json.dumps(found), flush=True)
                for key, value in found.items():
                    if isinstance(report.get(key), list):
                        report[key].append(value)
                    else:
                        report[key] = value
                write_raw(arguments.output, report)


def main() -> None:
    """Run the command."""
    parser = BENCHMARK.parser()
    device = "cuda" if gpu_name() else "cpu"
    add = parser.add_argument
    add("--site", type=Path, help="folder of the packages that the server needs")
    add("--device", choices=["cuda", "cpu"], default=device)
    add("--runtime", choices=["torch", "onnxruntime"], help="default: torch on a GPU")
    add("--size", choices=SIZES, help="default: so400m on a GPU, else tiny")
    add("--instances", type=int, help="instances of the model; default: 2 on a GPU, else 1")
    add("--seconds", type=float, help="time for each number")
    add("--minutes", type=float, default=8.0, help="time for the whole run")
    arguments = parser.parse_args()
    on_gpu = arguments.device == "cuda"
    arguments.runtime = arguments.runtime or ("torch" if on_gpu else "onnxruntime")
    arguments.size = arguments.size or ("so400m" if on_gpu else "tiny")
    arguments.instances = arguments.instances or (2 if on_gpu else 1)
    arguments.seconds = arguments.seconds or SECONDS[arguments.device]
    if arguments.runtime == "onnxruntime" and arguments.size != "tiny":
        parser.error("onnxruntime runs the bundled tower: give --size tiny")
    check_gpu(arguments.device)
    run(arguments)


if __name__ == "__main__":
    main()
