# SPDX-License-Identifier: Apache-2.0
"""The version of FFmpeg that decodes videos, from a process of its own: Triton loads no FFmpeg."""

import subprocess

from trireel_backend.extraction.process.isolation import START_SECONDS
from trireel_backend.system.workers import worker_python

PROGRAM = "import av; print(av.ffmpeg_version_info)"


def ffmpeg_version() -> str:
    """Return FFmpeg's version; empty if its process fails, which the extractor then reports."""
    try:
        answer = subprocess.run(
            [worker_python(), "-P", "-c", PROGRAM],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
