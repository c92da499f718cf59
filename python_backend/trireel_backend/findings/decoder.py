# SPDX-License-Identifier: Apache-2.0
"""From a video's next chunk to the findings of a request: outputs and the new state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import Knowledge, ModelCall
from trireel_backend.findings.registry import FINDINGS, findings_named
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import scalar

Options = Mapping[str, Any]
"""Options of each finding to run, by its name."""


def read_options(request: Request) -> Options:
    """Return the options of each finding that a request names; raises InvalidInput."""
    return {name: FINDINGS[name].options(request) for name in findings_named(request)}


@dataclass(frozen=True)
class VideoState:
    """State of a video between its chunks."""

    chunks: int = 0
    """Number of chunks decoded so far."""
    findings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """State of each finding, by its name."""


class Decoder:
    """Runs the findings of a request in turn."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Create every finding."""
        self._width = knowledge.bank.tags.embeddings.shape[1]
        self._findings = {name: kind(knowledge) for name, kind in FINDINGS.items()}

    def may_call(self, options: Options) -> bool:
        """Return whether a chunk with these options may need other models."""
        return any(self._findings[name].may_call(each) for name, each in options.items())

    def calls(
        self, state: VideoState, chunk: ChunkFrames, options: Options
    ) -> dict[str, Sequence[ModelCall]]:
        """Return the calls of other models that a chunk needs, by finding; empty for none.

        Raises:
            InvalidInput: as `decode`, or if the server cannot make what the options request.
        """
        self._check(state, chunk, options)
        calls = {
            name: self._findings[name].calls(self._before(state, name), chunk, finding_options)
            for name, finding_options in options.items()
        }
        return {name: needed for name, needed in calls.items() if needed}

    def decode(
        self, state: VideoState, chunk: ChunkFrames, options: Options
    ) -> tuple[VideoState, dict[str, NDArray[Any]]]:
        """Decode one chunk: return the new state and the outputs, see docs/tensors.md.

        The argument `state` does not change, so a rejected chunk leaves its video as it was.

        Raises:
            InvalidInput: if the chunk does not fit the export, or FIND changed within the video.
        """
        self._check(state, chunk, options)
        outputs: dict[str, NDArray[Any]] = {
            "CHUNK_INDICES": scalar(state.chunks, np.int32),
            "CHUNK_EMBEDDINGS": chunk.pooled[None],
        }
        states = {}
        for name, finding_options in options.items():
            before = self._before(state, name)
            states[name], tensors = self._findings[name].step(before, chunk, finding_options)
            outputs |= tensors
        return VideoState(state.chunks + 1, MappingProxyType(states)), outputs

    def _before(self, state: VideoState, name: str) -> Any:
        return state.findings[name] if state.chunks else self._findings[name].start()

    def _check(self, state: VideoState, chunk: ChunkFrames, options: Options) -> None:
        if chunk.embeddings.shape[1] != self._width:
            raise InvalidInput(
                f"EMBEDDINGS are {chunk.embeddings.shape[1]} wide: this checkpoint's are"
                f" {self._width}"
            )
        if state.chunks and state.findings.keys() != options.keys():
            raise InvalidInput(
                f"FIND names {', '.join(options)} after {', '.join(state.findings)}: send the same"
                " FIND with every chunk of a video"
            )
