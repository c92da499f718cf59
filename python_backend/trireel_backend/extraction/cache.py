# SPDX-License-Identifier: Apache-2.0
"""Videos kept open between the requests for their chunks."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from trireel_backend.errors import VideoNotFound
from trireel_backend.extraction.sampling import VideoSampler


@dataclass(frozen=True)
class _FileState:
    """What tells a file from another that took its place."""

    path: Path
    device: int
    inode: int
    size_bytes: int
    modified_ns: int


class SamplerCache:
    """A few open videos, least recently used closed first.

    A video's next chunk goes on where the last one ended. A decoder takes tens of megabytes for
    large pictures, so there are few.
    """

    def __init__(self, most_open: int) -> None:
        self._most_open = most_open
        self._open: OrderedDict[_FileState, VideoSampler] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def sampler(self, path: Path) -> VideoSampler:
        """Return an open video; raises NotAVideo, VideoNotFound."""
        self._close_vanished()
        state = _state_of(path)
        if state not in self._open:
            sampler = VideoSampler(path)
            while len(self._open) >= self._most_open:
                self._open.popitem(last=False)[1].close()
            self._open[state] = sampler
        self._open.move_to_end(state)
        return self._open[state]

    def forget(self, path: Path) -> None:
        """Close a video, after an error or when its file is about to go."""
        for state in [state for state in self._open if state.path == path]:
            self._open.pop(state).close()

    def _close_vanished(self) -> None:
        """Close files that have been removed or replaced: an open one would keep its disk space."""
        for state in list(self._open):
            try:
                unchanged = _state_of(state.path) == state
            except VideoNotFound:
                unchanged = False
            if not unchanged:
                self._open.pop(state).close()


def _state_of(path: Path) -> _FileState:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise VideoNotFound(f"{path.name!r} has been removed") from error
    return _FileState(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
