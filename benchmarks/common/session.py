# SPDX-License-Identifier: Apache-2.0
"""A bare onnxruntime session, whose threads share each run."""

from pathlib import Path

import onnxruntime as ort


def session(onnx: Path, threads: int) -> ort.InferenceSession:
    """Return a session of so many threads, which do not spin while they wait."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
