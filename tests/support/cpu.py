# SPDX-License-Identifier: Apache-2.0
"""What only some CPUs can do."""

import pytest

from trireel_backend.errors import StartupError
from trireel_backend.towers.runtimes import OPENVINO_BF16, TOWER_RUNTIMES, check_tower_runtime


def _has_amx() -> bool:
    try:
        check_tower_runtime(OPENVINO_BF16)
    except StartupError as error:
        # Not where OpenVINO is missing: the tests' environment has it.
        return "amx_bf16" not in str(error)
    return True


needs_amx = pytest.mark.skipif(not _has_amx(), reason="this CPU has no amx_bf16")
ENGINES_HERE = [
    pytest.param(engine, marks=needs_amx) if engine == OPENVINO_BF16 else engine
    for engine in TOWER_RUNTIMES
]
