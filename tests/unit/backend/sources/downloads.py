# SPDX-License-Identifier: Apache-2.0
"""Downloads into a spool without a network, and a list of its files."""

import time

from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.spool import Spool, Version


class Source:
    """Gives every URI a video of `size` bytes, and counts downloads."""

    def __init__(self, size=100, seconds=0.0):
        self.size = size
        self.seconds = seconds
        self.downloads = 0
        self.unchanged = False

    def __call__(self, part, known_version):
        if self.unchanged:
            assert known_version == Version("v1")
            return None
        self.downloads += 1
        part.reserve(self.size)
        time.sleep(self.seconds)
        part.write_at(0, bytes(self.size))
        return Version("v1")


def make_spool(folder, **limits):
    return Spool(folder, SourceLimits(**limits))


def soon():
    return Deadline(10.0)


def names(folder):
    return sorted(path.name.partition("-")[0] for path in folder.iterdir())
