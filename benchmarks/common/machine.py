# SPDX-License-Identifier: Apache-2.0
"""What the numbers were measured on, FFmpeg included."""

import platform

import av
import imageio_ffmpeg

from benchmarks.common.versions import commit, processors, versions

PACKAGES = ("av", "imageio-ffmpeg", "decord", "torchcodec", "torch")


def describe() -> dict[str, object]:
    """Return the processor, the versions and the commit."""
    return {
        "processor": platform.machine(),
        "cores": processors(),
        "python": platform.python_version(),
        "packages": versions(PACKAGES),
        "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
        "ffmpeg": imageio_ffmpeg.get_ffmpeg_version(),
        "commit": commit(),
    }
