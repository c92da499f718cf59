# SPDX-License-Identifier: Apache-2.0
"""How far a video has come: its state, its last chunk, and the answer to that chunk."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.decoder import VideoState
from trireel_backend.findings.registry import FINDINGS
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors


def _no_answer() -> Tensors:
    return MappingProxyType({})


class Place(Enum):
    """The place of a chunk in its video, as CHUNK_STATUS reports it."""

    NEW = "new"
    """The chunk comes after the last one, and the state advances."""
    REPEATED = "repeated"
    """The chunk is the last one again: it gets the same answer, and the state stays."""


@dataclass(frozen=True)
class ChunkTimes:
    """The times by which a chunk is recognised."""

    timestamps_seconds: NDArray[np.float64]
    """[f] PTS of the chunk's frames."""
    start_seconds: float | None = None
    """PTS at which the chunk begins, None if the request does not state it. Neighbouring chunks of
    a picture that stands still may show the same frame."""

    @classmethod
    def of(cls, request: Request) -> "ChunkTimes":
        """Read the times of a request; copied, because its memory is shared with Triton."""
        timestamps = request.required("TIMESTAMPS").copy()
        return cls(timestamps, request.number("CHUNK_START_SECONDS", float))

    def place_after(self, last: "ChunkTimes | None") -> Place:
        """Return the place of this chunk behind the last one.

        Raises:
            InvalidInput: if the chunk is late: its frames are not after the last chunk's.
        """
        if last is None:
            return Place.NEW
        mine, others = self._position(last), last._position(self)
        if mine == others and np.array_equal(self.timestamps_seconds, last.timestamps_seconds):
            return Place.REPEATED
        if mine > others:
            return Place.NEW
        raise InvalidInput(
            f"the chunk is late: it is at {mine:g} s, and the last chunk of its sequence was at"
            f" {others:g} s; the state has not changed: send the next chunk, or START to begin"
            " anew, or ANY_ORDER with a chunk that is meant to go back"
        )

    def _position(self, other: "ChunkTimes") -> float:
        """Return the chunk's begin if both state theirs, else the PTS of its last frame."""
        if self.start_seconds is None or other.start_seconds is None:
            return float(self.timestamps_seconds[-1])
        return self.start_seconds


@dataclass(frozen=True)
class Progress:
    """A sequence between two requests."""

    state: VideoState = field(default_factory=VideoState)
    """State after the last chunk."""
    times: ChunkTimes | None = None
    """Times of the last chunk, None before the first."""
    before: VideoState | None = None
    """State before the last chunk, None if it is not kept."""
    answer: Tensors = field(default_factory=_no_answer)
    """Answer to the last chunk, empty if it is not kept."""

    def place(
        self, request: Request, findings: Mapping[str, Any]
    ) -> tuple[Place, VideoState | None]:
        """Return a chunk's place in its video, and the state before it.

        The state before a repeated chunk is None if it is not kept. With other findings a chunk
        that is repeated counts as new: it will be rejected, as any chunk after the last one would.

        Args:
            findings: options of the findings that the request names.

        Raises:
            InvalidInput: if the chunk is late.
        """
        if request.is_inner or request.number("ANY_ORDER", bool):
            return Place.NEW, self.state
        place = ChunkTimes.of(request).place_after(self.times)
        if place is Place.REPEATED and findings.keys() == self.state.findings.keys():
            # Of the video's last chunk after all, findings may make more: it is decoded again.
            return place, self.before
        return Place.NEW, self.state

    def with_own_answer(self) -> "Progress":
        """Return the same with a copy of the answer, which may lie in memory of the request."""
        return replace(self, answer={name: array.copy() for name, array in self.answer.items()})

    def without_answer(self) -> "Progress":
        """Return the same without the parts that only a repeated chunk needs."""
        return replace(self, before=None, answer=_no_answer())

    def parts(self) -> Mapping[str, Any]:
        """Return what must be known of a video to go on: the parts of a snapshot."""
        times = {} if self.times is None else {"times": self.times}
        return {"chunks": self.state.chunks, **times, **self.state.findings}

    @classmethod
    def of_parts(cls, parts: Mapping[str, Any]) -> "Progress":
        """Return the progress of a snapshot; raises InvalidInput if it is of no video."""
        findings = {name: part for name, part in parts.items() if name in FINDINGS}
        times, chunks = parts.get("times"), parts.get("chunks", 0)
        if times is None or not findings or not 0 < chunks < 2**31 - 1:
            raise InvalidInput("START_STATE holds no video: send the bytes of STATE as they came")
        return cls(VideoState(chunks, MappingProxyType(findings)), times)
