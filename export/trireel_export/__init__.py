# SPDX-License-Identifier: Apache-2.0
"""Export a SigLIP checkpoint to what a Trireel server runs; see trireel_export.export."""

import os

# onnxruntime reports on its use from 1.29 on, unless it is told not to before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
