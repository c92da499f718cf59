# SPDX-License-Identifier: Apache-2.0
"""What the numbers were measured on, and how busy its GPU was."""

import os
import platform
import shutil
import statistics
import subprocess
import threading
import time
from types import TracebackType

from benchmarks.common.versions import commit, processors, versions

PACKAGES = ("torch", "onnxruntime", "nvidia-pytriton", "tritonclient", "transformers")
SAMPLE_MS = 200
FIELDS = ("utilization.gpu", "power.draw", "clocks.sm")


def gpu_name() -> str | None:
    """Return the first GPU's name and driver, None where there is none."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None


def describe() -> dict[str, object]:
    """Return the GPU, the processors, the versions and the commit."""
    names = processors()
    return {
        "gpu": gpu_name(),
        "processor": names[0] if names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": versions(PACKAGES),
        "commit": commit(),
    }


class GpuSampler:
    """Reads the first GPU several times a second, for the length of the context."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, list[float]]] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "GpuSampler":
        if gpu_name() is not None:
            query = f"--query-gpu={','.join(FIELDS)}"
            command = ["nvidia-smi", "-i", "0", query, "--format=csv,noheader,nounits"]
            self._process = subprocess.Popen(
                [*command, f"--loop-ms={SAMPLE_MS}"], stdout=subprocess.PIPE, text=True
            )
            threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def between(self, began: float, ended: float) -> dict[str, float] | None:
        """Return the means of a time on the monotonic clock, None without a GPU."""
        rows = [row for moment, row in list(self._samples) if began <= moment <= ended]
        if not rows:
            return None
        columns = zip(*rows, strict=True)
        return {
            name: round(statistics.fmean(column), 1)
            for name, column in zip(FIELDS, columns, strict=True)
        }

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self._samples.append((time.monotonic(), [float(part) for part in line.split(",")]))
            except ValueError:
                continue  # "[N/A]": this GPU does not tell
