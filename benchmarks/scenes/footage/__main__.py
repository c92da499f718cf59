# SPDX-License-Identifier: Apache-2.0
"""Makes the videos: python -m benchmarks.scenes.footage --output FOLDER."""

from benchmarks.common.footage.command import make_videos
from benchmarks.scenes.footage.sets import PARTS, SETS, edits
from benchmarks.scenes.footage.writing import write_edit

if __name__ == "__main__":
    make_videos("benchmarks.scenes.footage", SETS, PARTS, edits, write_edit)
