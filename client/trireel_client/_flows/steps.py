# SPDX-License-Identifier: Apache-2.0
"""Going through a video chunk by chunk, as one sequence of requests."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trireel_client._calls import Infer, Turn
from trireel_client._errors import InvalidRequest, SequenceLost, ServerUnavailable, TrireelError
from trireel_client._flows.delivered import Given
from trireel_client._flows.flows import Flow, Server, embed_texts, video_inputs
from trireel_client._flows.parse import Plan, parse_chunk, parse_plan
from trireel_client._options import Inputs, Tensors, texts
from trireel_client._results import ChunkAnalysis
from trireel_client._sources import Video

SequenceId = str | int


@dataclass(frozen=True)
class Steps:
    """A video's chunks, ready to be asked for one by one."""

    plan: Plan
    """The server's."""
    inputs: Tensors
    """Those that every chunk brings."""

    def __len__(self) -> int:
        return len(self.plan.start_seconds)

    def call(self, index: int, sequence_id: SequenceId) -> Infer:
        """Return the request of a chunk."""
        inputs = {**self.inputs, "START_SECONDS": np.array([self.plan.start_seconds[index]])}
        if len(self) > 1:  # a video of one chunk may be shorter than a chunk may be asked to be
            inputs["CHUNK_SECONDS"] = np.array([self.plan.duration_seconds[index]])
        turn = Turn(sequence_id, start=index == 0, end=index == len(self) - 1)
        return Infer("video_chunk", inputs, request_id=str(sequence_id), turn=turn)


class Walk:
    """One video stepped through; where a server is lost on the way, the walk begins anew.

    A turn is never sent twice in a sequence: it might count twice. The chunks up to where the
    caller is are asked for again instead, as a sequence of another id, so that what the first
    sequence left on some server cannot be taken for this one's state.
    """

    def __init__(self, steps: Steps, sequence_id: SequenceId | None) -> None:
        """Make a walk; with a `sequence_id` of the caller's own it cannot begin anew."""
        self._steps = steps
        self._given = Given()
        self.can_begin_anew = sequence_id is None
        self._sequence_id: SequenceId = _new_id() if sequence_id is None else sequence_id
        self._last: ChunkAnalysis | None = None
        """The sequence's last answer."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._steps)))

    def chunk(self, index: int) -> Flow[ChunkAnalysis]:
        """Ask for a chunk, in a new sequence for all before it too.

        Raises:
            ServerUnavailable: may be tried again where the walk `can_begin_anew`.
            SequenceLost: it cannot, or the server does not know the sequence (any more).
        """
        try:
            while True:
                chunk = yield from self._next()
                if self._given.is_new(chunk):
                    return chunk
        except ServerUnavailable as error:
            begun = self._last is not None
            yield from self.end()
            if self.can_begin_anew:
                self._sequence_id = _new_id()
                raise
            if not begun or isinstance(error, SequenceLost):
                raise
            raise SequenceLost(
                f"sequence {self._sequence_id!r} is lost at chunk {index} ({error}): begin the"
                " video again, with another sequence_id"
            ) from error

    def end(self) -> Flow[None]:
        """End the sequence where it is open; one not ended now ends when it has been idle."""
        last, self._last = self._last, None
        call = None if last is None or last.is_last else _end(last, self._sequence_id)
        if call is not None:
            try:
                yield call
            except TrireelError:
                pass

    def _next(self) -> Flow[ChunkAnalysis]:
        index = 0 if self._last is None else self._last.index + 1
        tensors = yield self._steps.call(index, self._sequence_id)
        chunk = parse_chunk(tensors, num_chunks=len(self._steps))
        if chunk.index != index:
            raise SequenceLost(
                f"chunk {index} was answered as chunk {chunk.index}: sequence"
                f" {self._sequence_id!r} is not only this client's, or was split between servers"
            )
        self._last = chunk
        return chunk


def plan_steps(
    server: Server,
    source: Video,
    asked: Inputs,
    sequence_id: SequenceId | None,
) -> Flow[Walk]:
    """Ask for a video's plan, and for the embeddings of free-text tags."""
    _check_id(sequence_id)
    video = yield from video_inputs(server, source)
    look = {**video, **asked.planning, "FRAMES_PER_CHUNK": np.array([0], np.int32)}
    wanted = ("PLAN_START_SECONDS", "PLAN_DURATION_SECONDS", "VIDEO_DURATION_SECONDS")
    plan = parse_plan((yield Infer("frame_extractor", look, wanted)))
    inputs = {**video, **asked.planning, **asked.chunk}
    if asked.tags is not None:
        inputs["TAGS"] = texts(asked.tags)
        inputs["TAG_EMBEDDINGS"] = yield from embed_texts(asked.tags)
    return Walk(Steps(plan, inputs), sequence_id)


def _end(chunk: ChunkAnalysis, sequence_id: SequenceId) -> Infer | None:
    """Return a request that ends a sequence after `chunk`, None where there is no way.

    It goes to the decoder itself, which keeps the state, and brings an embedding that it has
    sent: nothing is uploaded, decoded or encoded, so it cannot fail as a chunk may have.
    """
    if chunk.embedding is None:
        return None
    inputs = {
        "EMBEDDINGS": chunk.embedding[None],
        "TIMESTAMPS": np.array(chunk.frame_timestamps_seconds[-1:]),
    }
    turn = Turn(sequence_id, start=False, end=True)
    return Infer("temporal_decoder", inputs, ("CHUNK_INDICES",), turn=turn, brief=True)


def _new_id() -> str:
    return str(uuid.uuid4())


def _check_id(sequence_id: SequenceId | None) -> None:
    # 0 and "" stand for no sequence at all; gRPC carries a number as a signed 64-bit integer.
    if sequence_id == "" or (isinstance(sequence_id, int) and not 0 < sequence_id < 2**63):
        raise InvalidRequest(
            f"sequence_id is {sequence_id!r}: give a text, or a number from 1 to 2**63 - 1"
        )
    if isinstance(sequence_id, str) and not sequence_id.isprintable():
        raise InvalidRequest(f"sequence_id is {sequence_id!r}: give a text of printable characters")
