# SPDX-License-Identifier: Apache-2.0
"""Frames per second of the served tower, beside the tower in a plain loop and the machine's limit.

Run: python -m benchmarks.gpu --output benchmarks/gpu/results.json
     python -m benchmarks.gpu.table

With a GPU: a tower of so400m size with random weights, torch behind the project's adapter in the
embedded Triton, against the same compiled tower in a plain loop and against the rate of one large
bf16 product. What is measured is the way through Triton, and how near a torch tower in the
project's mixed precision comes to the limit; engines of TensorRT need NVIDIA's container, and are
not measured. Without a GPU: the bundled tiny tower in onnxruntime, as the embedded profile serves
it, against a bare session.

Two environments, since torch wants NumPy 2 and the embedded Triton one below:
  this Python        torch, transformers, onnx, onnxruntime, tokenizers, pillow (and a C compiler)
  --site FOLDER      numpy<2, nvidia-pytriton, tritonclient[grpc]; put before this Python's packages
Where one environment has all, as that of scripts/test, --site is not needed. To a machine without a
network the folder is carried as an archive, 44 MB, which benchmarks/gpu/pack makes:
  here    benchmarks/gpu/pack .gpu                      writes .gpu/site.tar.xz, for Python 3.12
  there   mkdir /tmp/site && tar xJf .gpu/site.tar.xz -C /tmp/site
          ldconfig -p | grep -q libpython3.12.so.1.0 || ldconfig /tmp/site/lib
          python3 -m benchmarks.gpu --site /tmp/site --output results.json
A first try without a GPU: python -m benchmarks.gpu --runtime torch --size tiny --output /tmp/r.json
It ends within eight minutes, and writes what it has after every step.
"""

import argparse
import json
import os
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

from benchmarks.gpu.machine import GpuSampler, describe, gpu_name
from benchmarks.gpu.sizes import SIZES

ROOT = Path(__file__).parents[2]
ONNX = ROOT / "export/tiny/model/vision.onnx"
MINUTES = 8.0
SECONDS = {"cuda": 5.0, "cpu": 2.0}
CHECK_SECONDS = 120.0


def environment() -> dict[str, str]:
    """Return what the measuring processes find in their environment."""
    paths = [str(ROOT), str(ROOT / "python_backend"), str(ROOT / "export")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]).strip(os.pathsep),
        "PYTHONUNBUFFERED": "1",
        # The server's processes take from it what the loop has compiled, and start no others.
        "TORCHINDUCTOR_FX_GRAPH_CACHE": "1",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }


def server_python(folder: Path, site: Path | None) -> Path:
    """Make a virtual environment that has the packages of `site` before those of this Python.

    A model's process looks at no PYTHONPATH, only at the environment of the first python on PATH.
    """
    venv.create(folder, symlinks=True)
    config = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    ours = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    paths = [*([str(site.resolve())] if site else []), str(ROOT), str(ROOT / "python_backend")]
    # addsitedir reads the .pth files there too.
    lines = [*paths, *(f"import site; site.addsitedir({path!r})" for path in ours)]
    (Path(config["purelib"]) / "benchmark.pth").write_text("\n".join(lines) + "\n")
    return folder / "bin/python"


def lines_of(command: list[str], env: dict[str, str], deadline: float) -> Iterator[dict[str, Any]]:
    """Yield what a measuring process tells; ends this program with its own words if it fails."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(max(1.0, deadline - time.monotonic()), process.terminate)
    timer.start()
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
    finally:
        timer.cancel()
        if process.poll() is None:
            process.terminate()
        code = process.wait()
    if time.monotonic() >= deadline:
        yield {"cut_off": command[2]}
    elif code:
        sys.exit(f"benchmarks.gpu: {command[2]} failed with {code}; what is above says why")


def check(arguments: argparse.Namespace, commands: dict[str, list[str]]) -> None:
    """End the program, with a sentence for everything that is missing."""
    lacks = []
    # In a process of its own: asking for the GPU here would keep some of its memory.
    torch = "import torch, transformers; print(torch.cuda.is_available())"
    asked = [sys.executable, "-c", torch]
    done = subprocess.run(asked, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        lacks.append(f"torch or transformers does not import: {done.stderr.strip()[-300:]}")
    elif arguments.device == "cuda" and done.stdout.strip() != "True":
        lacks.append("torch sees no GPU: give --device cpu, or a torch built for CUDA")
    if arguments.runtime == "torch" and not any(map(_on_path, ("cc", "gcc", "clang"))):
        lacks.append("there is no C compiler on PATH, which torch.compile needs")
    done = subprocess.run(
        [*commands["served"], "--check"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=CHECK_SECONDS,
        check=False,
    )
    if done.returncode:
        lacks.append(f"where the server runs: {done.stderr.strip()[-1000:]}")
    if lacks:
        sys.exit("benchmarks.gpu: " + "\nbenchmarks.gpu: ".join(lacks))


def run(arguments: argparse.Namespace) -> None:
    """Measure, writing the results anew whenever there is more."""
    with tempfile.TemporaryDirectory(prefix="trireel-gpu-") as work:
        python = server_python(Path(work) / "python", arguments.site)
        commands = _commands(arguments, work, python)
        check(arguments, commands)
        report: dict[str, Any] = {
            "machine": describe(),
            "runtime": arguments.runtime,
            "device": arguments.device,
            "size": arguments.size,
            "instances": arguments.instances,
            "flops_per_frame": SIZES[arguments.size].flops_per_frame,
            "loop": [],
            "served": [],
        }
        with GpuSampler() as sampler:
            # Without a GPU the machine is shared with other work: the loop once more, after it.
            for name in ["peer", "served", *(["peer"] if arguments.device == "cpu" else [])]:
                for found in lines_of(commands[name], environment(), arguments.deadline):
                    _add(report, found, sampler)
                    print(json.dumps(found), flush=True)
                    arguments.output.write_text(json.dumps(report, indent=1) + "\n")


def _commands(arguments: argparse.Namespace, work: str, python: Path) -> dict[str, list[str]]:
    shared = [
        *("--runtime", arguments.runtime, "--size", arguments.size, "--work", work),
        *("--seconds", str(arguments.seconds), "--onnx", str(ONNX)),
    ]
    peer = ["--device", arguments.device, "--mode", arguments.mode]
    return {
        "peer": [sys.executable, "-m", "benchmarks.gpu.peer", *shared, *peer],
        "served": [
            *(str(python), "-m", "benchmarks.gpu.served", *shared),
            *("--instances", str(arguments.instances)),
        ],
    }


def _add(report: dict[str, Any], found: dict[str, Any], sampler: GpuSampler) -> None:
    for key, value in found.items():
        if key == "served" and "began" in value:
            value |= {"gpu": sampler.between(value.pop("began"), value.pop("ended"))}
        if isinstance(report.get(key), list):
            report[key].append(value)
        else:
            report[key] = value


def _on_path(program: str) -> bool:
    return any(
        os.access(Path(folder) / program, os.X_OK)
        for folder in os.environ["PATH"].split(os.pathsep)
    )


def create_parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    device = "cuda" if gpu_name() else "cpu"
    add = parser.add_argument
    add("--output", type=Path, required=True)
    add("--site", type=Path, help="folder of the packages that the server needs")
    add("--device", choices=["cuda", "cpu"], default=device)
    add("--runtime", choices=["torch", "onnxruntime"], help="torch on a GPU, else onnxruntime")
    add("--size", choices=SIZES, help="so400m on a GPU, else tiny")
    add("--instances", type=int, help="of the model: 2 on a GPU, else 1")
    add("--mode", default="default", help="of torch.compile")
    add("--seconds", type=float, help="for each number")
    add("--minutes", type=float, default=MINUTES, help="for all of it")
    return parser


def main() -> None:
    """Run the command."""
    arguments = create_parser().parse_args()
    gpu = arguments.device == "cuda"
    arguments.runtime = arguments.runtime or ("torch" if gpu else "onnxruntime")
    arguments.size = arguments.size or ("so400m" if gpu else "tiny")
    arguments.instances = arguments.instances or (2 if gpu else 1)
    arguments.seconds = arguments.seconds or SECONDS[arguments.device]
    arguments.deadline = time.monotonic() + 60 * arguments.minutes
    if arguments.runtime == "onnxruntime" and arguments.size != "tiny":
        sys.exit("benchmarks.gpu: onnxruntime runs the bundled tower: --size tiny")
    run(arguments)


if __name__ == "__main__":
    main()
