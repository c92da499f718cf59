# SPDX-License-Identifier: Apache-2.0
"""Makes the videos: python -m benchmarks.captions.footage --output FOLDER."""

from benchmarks.captions.footage.plan import PARTS, SETS, videos
from benchmarks.captions.footage.writing import write_captioned
from benchmarks.common.footage.command import make_videos

if __name__ == "__main__":
    make_videos("benchmarks.captions.footage", SETS, PARTS, videos, write_captioned)
