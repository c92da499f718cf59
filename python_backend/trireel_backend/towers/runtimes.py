# SPDX-License-Identifier: Apache-2.0
"""Runtimes that can compute a tower in the Python backend, and whether this machine supports them.

This module loads neither library: the launcher checks the runtime before any model loads.
"""

import importlib.util
from pathlib import Path

from trireel_backend.errors import MissingPart, StartupError

ONNXRUNTIME = "onnxruntime"
OPENVINO = "openvino"
OPENVINO_BF16 = "openvino-bf16"
TOWER_RUNTIMES = (ONNXRUNTIME, OPENVINO, OPENVINO_BF16)
REDUCED_RUNTIMES = frozenset({OPENVINO_BF16})
"""Runtimes that compute an fp32 graph in less than fp32."""

CPUINFO = Path("/proc/cpuinfo")
BF16_INSTRUCTIONS = "amx_bf16"
"""CPU flag of the instructions that make bf16 faster than fp32. With avx512_bf16 alone bf16 was
slower, and a frame's embedding differed by 1e-3 between a batch of one and a larger batch."""


def check_tower_runtime(name: str, cpuinfo: Path = CPUINFO) -> None:
    """Raise StartupError if the runtime is unknown, or if this machine cannot run it.

    Args:
        cpuinfo: the kernel's description of the CPU. OpenVINO itself reports support for bf16 even
            if it has to emulate it, at a fiftieth of the speed.
    """
    if name not in TOWER_RUNTIMES:
        raise StartupError(f"tower_engine is {name!r}: give one of {', '.join(TOWER_RUNTIMES)}")
    if name == ONNXRUNTIME:
        return
    if importlib.util.find_spec("openvino") is None:
        raise MissingPart(
            f"tower_engine is {name!r}, and OpenVINO is not installed: in the folder of"
            " Trireel run .venv/bin/pip install -c constraints.txt -e './python_backend[openvino]'"
        )
    if name == OPENVINO_BF16 and BF16_INSTRUCTIONS not in _instructions(cpuinfo):
        raise StartupError(
            f"tower_engine is {name!r}, and this CPU has no {BF16_INSTRUCTIONS}, without which bf16"
            f" is slower than fp32: use {OPENVINO!r}, which computes in fp32"
        )


def _instructions(cpuinfo: Path) -> frozenset[str]:
    for line in cpuinfo.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()
