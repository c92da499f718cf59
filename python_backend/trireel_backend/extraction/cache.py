# SPDX-License-Identifier: Apache-2.0
"""Videos kept open between the requests for their chunks."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from trireel_backend.errors import VideoNotFound
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler

MOST_OPEN = 64  # videos; each has up to two open files


@dataclass(frozen=True)
class _FileState:
    """Identifies a file and how it is opened; changes if another file replaces it."""

    file: VideoFile
    device: int
    inode: int
    size_bytes: int
    modified_ns: int


class SamplerCache:
    """Open videos; the least recently used is closed first.

    A video's next chunk continues at the end of the last one. A decoder takes from a few megabytes
    to hundreds, depending on the size of the pictures, so memory limits the number of open videos.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._open: OrderedDict[_FileState, VideoSampler] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def sampler(self, file: VideoFile) -> VideoSampler:
        """Return an open video; raises VideoNotFound, and the errors of `look`."""
        self.close_vanished()
        state = _state_of(file)
        if state not in self._open:
            self._open[state] = VideoSampler(file)
        self._open.move_to_end(state)
        self._free_memory()
        return self._open[state]

    def forget(self, path: Path) -> None:
        """Close a video, after an error or before its file is deleted."""
        for state in [state for state in self._open if state.file.path == path]:
            self._open.pop(state).close()

    def close(self) -> None:
        """Close all videos."""
        while self._open:
            self._open.popitem()[1].close()

    def _free_memory(self) -> None:
        while len(self._open) > 1 and (
            len(self._open) > MOST_OPEN
            or sum(sampler.held_bytes for sampler in self._open.values()) > self._most_bytes
        ):
            self._open.popitem(last=False)[1].close()

    def close_vanished(self) -> None:
        """Close files that have been removed or replaced: an open file keeps its disk space."""
        for state in list(self._open):
            try:
                unchanged = _state_of(state.file) == state
            except VideoNotFound:
                unchanged = False
            if not unchanged:
                self._open.pop(state).close()


def _state_of(file: VideoFile) -> _FileState:
    try:
        status = file.path.stat()
    except FileNotFoundError as error:
        raise VideoNotFound(f"{file.path.name!r} has been removed") from error
    return _FileState(file, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
