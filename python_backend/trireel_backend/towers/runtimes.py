# SPDX-License-Identifier: Apache-2.0
"""What may compute a tower in the Python backend, and whether this machine can.

Loads neither library: the launcher asks here before any model does.
"""

import importlib.util
from pathlib import Path

from trireel_backend.errors import MissingPart, StartupError

ONNXRUNTIME = "onnxruntime"
OPENVINO = "openvino"
OPENVINO_BF16 = "openvino-bf16"
TOWER_ENGINES = (ONNXRUNTIME, OPENVINO, OPENVINO_BF16)
REDUCED_ENGINES = frozenset({OPENVINO_BF16})
"""Those that compute an fp32 graph in less than fp32."""

CPUINFO = Path("/proc/cpuinfo")
BF16_INSTRUCTIONS = "amx_bf16"
"""Those that make bf16 faster than fp32. With avx512_bf16 alone it was slower, and a frame's
embedding differed by 1e-3 between alone and in a batch."""


def check_tower_engine(name: str, cpuinfo: Path = CPUINFO) -> None:
    """Raise StartupError where there is no such engine, or this machine cannot run it.

    Args:
        cpuinfo: what the kernel tells of the CPU. OpenVINO itself says that it can do bf16 even
            where it has to emulate it, at a fiftieth of the speed.
    """
    if name not in TOWER_ENGINES:
        raise StartupError(f"tower_engine is {name!r}: give one of {', '.join(TOWER_ENGINES)}")
    if name == ONNXRUNTIME:
        return
    if importlib.util.find_spec("openvino") is None:
        raise MissingPart(
            f"tower_engine is {name!r}, and OpenVINO is not installed: pip install"
            " 'trireel-backend[openvino]'"
        )
    if name == OPENVINO_BF16 and BF16_INSTRUCTIONS not in _instructions(cpuinfo):
        raise StartupError(
            f"tower_engine is {name!r}, and this CPU has no {BF16_INSTRUCTIONS}, without which bf16"
            f" is slower than fp32: take {OPENVINO!r}, which computes in fp32"
        )


def _instructions(cpuinfo: Path) -> frozenset[str]:
    for line in cpuinfo.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()
