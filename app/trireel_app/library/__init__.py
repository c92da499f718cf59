# SPDX-License-Identifier: Apache-2.0
"""The library: one folder or S3 prefix that keeps the results of videos."""

from trireel_app.library.from_analysis import record_of
from trireel_app.library.identity import video_id_of
from trireel_app.library.library import Library
from trireel_app.library.manifest import Entry
from trireel_app.library.records import (
    Checkpoint,
    Frames,
    Label,
    Scene,
    Stretch,
    VideoRecord,
)

__all__ = [
    "Checkpoint",
    "Entry",
    "Frames",
    "Label",
    "Library",
    "Scene",
    "Stretch",
    "VideoRecord",
    "record_of",
    "video_id_of",
]
