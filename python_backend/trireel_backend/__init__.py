# SPDX-License-Identifier: Apache-2.0
"""What the Trireel server runs: plain functions over arrays; the seam to Triton is `adapter`."""

import os

# onnxruntime reports on its use from 1.29 on, unless it is told not to before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
