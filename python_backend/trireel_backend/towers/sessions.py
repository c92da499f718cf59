# SPDX-License-Identifier: Apache-2.0
"""An exported model loaded into a runtime: rows in, one array an output."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from trireel_backend.system.resources import available_cpus
from trireel_backend.towers.runtimes import ONNXRUNTIME, OPENVINO_BF16, check_tower_runtime
from trireel_backend.towers.settings import TowerSettings

CPU_PROVIDER = "CPUExecutionProvider"


Outputs = list[NDArray[Any]]
"""One array [N, ...] for each output of a model, in the graph's order; real numbers are fp32."""


class TowerSession(Protocol):
    """One model: one input with a free batch dimension, one or more outputs [N, width]."""

    on_cpu: bool
    """True if the model is computed on the CPU."""
    lanes: int
    """Number of runs that may be in flight at once, each in its own thread."""
    widths: tuple[int, ...]
    """Number of values that each output has for a row; 0 if it depends on the rows."""

    def run(self, rows: NDArray[Any]) -> Outputs:
        """Return the outputs of a batch of at least one row."""


SHRINK_ARENA = "memory.enable_memory_arena_shrinkage"
"""Option of a run: the devices on which onnxruntime gives memory back after the run."""


def load_session(model: Path, settings: TowerSettings) -> TowerSession:
    """Load a model into the configured runtime; raises StartupError if it cannot run here."""
    check_tower_runtime(settings.tower_engine)
    if settings.tower_engine == ONNXRUNTIME:
        return OnnxRuntimeSession(model, settings)
    return OpenVinoSession(model, settings)


class OnnxRuntimeSession:
    """A model in onnxruntime, in the precision of its graph."""

    def __init__(self, model: Path, settings: TowerSettings) -> None:
        """Load `model`; providers that this build of onnxruntime lacks are skipped."""
        available = [
            name for name in settings.providers.split(",") if name in ort.get_available_providers()
        ]
        threads = settings.threads or available_cpus()
        self.lanes = threads if available == [CPU_PROVIDER] else 1
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads // self.lanes
        # Idle threads that spin would take CPU time from decoding the next chunk.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # A memory plan for every batch size takes a quarter more memory, and saves no time.
        options.enable_mem_pattern = False
        self._session = ort.InferenceSession(model, options, providers=available)
        self._run_options = ort.RunOptions()
        if settings.releases_memory and available == [CPU_PROVIDER]:
            self._run_options.add_run_config_entry(SHRINK_ARENA, "cpu:0")
        self._input = self._session.get_inputs()[0].name
        self.on_cpu = self._session.get_providers()[0] == CPU_PROVIDER
        last_sizes = (output.shape[-1] for output in self._session.get_outputs())
        self.widths = tuple(size if isinstance(size, int) else 0 for size in last_sizes)

    def run(self, rows: NDArray[Any]) -> Outputs:
        """Return the outputs of a batch of at least one row."""
        outputs = self._session.run(None, {self._input: rows}, self._run_options)
        return [_in_fp32(output) for output in outputs]


class OpenVinoSession:
    """A model in OpenVINO on the CPU, in fp32 or bf16, whatever the precision of its graph."""

    on_cpu = True
    lanes = 1  # its threads share a run better than onnxruntime's do

    def __init__(self, model: Path, settings: TowerSettings) -> None:
        """Load and compile `model`."""
        import openvino  # an optional dependency

        is_bf16 = settings.tower_engine == OPENVINO_BF16
        compiled = openvino.Core().compile_model(
            model,
            "CPU",
            {
                # Without it a CPU with bf16 instructions computes an fp32 graph in bf16.
                "INFERENCE_PRECISION_HINT": "bf16" if is_bf16 else "f32",
                "INFERENCE_NUM_THREADS": settings.threads,
                "PERFORMANCE_HINT": "LATENCY",
                # Extractors decode on the same cores; the kernel knows which core is free.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._request = compiled.create_infer_request()
        last_sizes = (output.partial_shape[-1] for output in compiled.outputs)
        self.widths = tuple(size.get_length() if size.is_static else 0 for size in last_sizes)

    def run(self, rows: NDArray[Any]) -> Outputs:
        """Return the outputs of a batch of at least one row."""
        # The results are copies; the rows are read in place.
        outputs = self._request.infer([rows], share_inputs=True).values()
        return [_in_fp32(output) for output in outputs]


def _in_fp32(output: NDArray[Any]) -> NDArray[Any]:
    """Return real numbers in fp32, and others as they are."""
    return output if output.dtype.kind in "iu" else np.asarray(output, np.float32)
