# SPDX-License-Identifier: Apache-2.0
"""Going through a video chunk by chunk, as one sequence of requests."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trireel_client._calls import Infer, Turn
from trireel_client._errors import InvalidRequest, SequenceLost, ServerUnavailable, TrireelError
from trireel_client._flows.delivered import DeliveredChunks
from trireel_client._flows.flows import Flow, Server, embed_texts, video_inputs
from trireel_client._flows.parse import Plan, parse_chunk, parse_plan
from trireel_client._options import Inputs, Tensors, texts
from trireel_client._results import ChunkAnalysis
from trireel_client._sources import Video
from trireel_schema.catalogue import FREE_TEXTS

SequenceId = str | int

# The server's message about a state that is too large to be returned.
_TOO_LARGE = re.compile(r"send the chunk without RETURN_STATE")
# Triton's message, from a server of a version that returns no states.
_UNKNOWN_INPUT = re.compile(r"unexpected (inference )?input '(RETURN_STATE|START_STATE)'")


@dataclass(frozen=True)
class Steps:
    """The requests for a video's chunks, one by one."""

    plan: Plan
    """Chunks of the video, as the server plans them."""
    inputs: Tensors
    """Input tensors that every request carries."""
    findings: tuple[str, ...]
    """Names of the findings that the answers hold."""

    def __len__(self) -> int:
        return len(self.plan.start_seconds)

    def call(
        self, index: int, sequence_id: SequenceId, state: bytes | None, *, returns_state: bool
    ) -> Infer:
        """Return the request of a chunk.

        Args:
            state: state of the video before the chunk, if the chunk begins a new sequence with it.
            returns_state: True if the answer holds the state after the chunk.
        """
        inputs = {**self.inputs, "START_SECONDS": np.array([self.plan.start_seconds[index]])}
        if len(self) > 1:  # a video of one chunk may be shorter than the shortest CHUNK_SECONDS
            inputs["CHUNK_SECONDS"] = np.array([self.plan.duration_seconds[index]])
        is_last = index == len(self) - 1
        if returns_state and not is_last:
            inputs["RETURN_STATE"] = np.array([True])
        if state is not None:
            inputs["START_STATE"] = np.frombuffer(state, np.uint8)
        turn = Turn(sequence_id, start=index == 0 or state is not None, end=is_last)
        return Infer("video_chunk", inputs, request_id=str(sequence_id), turn=turn)


@dataclass(frozen=True)
class Resumption:
    """How a walk goes on after its server, or a walk before it, is lost."""

    returns_state: bool = True
    """True if the server returns the state with each chunk."""
    state: bytes | None = None
    """State of the video before the walk's first chunk; None at the begin of the video."""
    first_chunk: int = 0
    """Index of the walk's first chunk."""

    def __post_init__(self) -> None:
        """Raise InvalidRequest if the parts do not belong together."""
        if (self.state is None) != (self.first_chunk == 0):
            raise InvalidRequest(
                f"first_chunk is {self.first_chunk} and start_state is"
                f" {'missing' if self.state is None else 'there'}: give both, or none of them"
            )


class Walk:
    """One walk through a video, chunk by chunk; it goes on if a server is lost on the way.

    A lost sequence goes on from the last returned state, at any server. Without such a state, the
    caller's chunks are requested again from the first. A new sequence has another id, so that a
    request of the first one that is still on its way cannot be mistaken for one of the new one's;
    only an id of the caller's is kept, since START discards whatever the server has of it.
    """

    def __init__(
        self, steps: Steps, sequence_id: SequenceId | None, resumption: Resumption
    ) -> None:
        """Make a walk; with a `sequence_id` it goes on from a returned state only."""
        if not 0 <= resumption.first_chunk < len(steps):
            raise InvalidRequest(
                f"first_chunk is {resumption.first_chunk}: the video has {len(steps)} chunks"
            )
        self._steps = steps
        self._first = resumption.first_chunk
        self._delivered = DeliveredChunks(resumption.first_chunk)
        self._returns_state = resumption.returns_state
        self._is_callers_id = sequence_id is not None
        self._sequence_id: SequenceId = _new_id() if sequence_id is None else sequence_id
        self._state = resumption.state
        """State before the chunk of index `_resume_at`."""
        self._resume_at = resumption.first_chunk
        self._last: ChunkAnalysis | None = None
        """Last answer of the sequence; None before the first and after the end."""

    @property
    def can_restart(self) -> bool:
        """True if the walk goes on after its server is lost."""
        has_begun = self._last is not None
        return (
            not self._is_callers_id
            or self._state is not None
            or (self._returns_state and not has_begun)
        )

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._first, len(self._steps)))

    def chunk(self, index: int) -> Flow[ChunkAnalysis]:
        """Request a chunk; in a new sequence without a state, request all chunks before it first.

        Raises:
            ServerUnavailable: if the server is not available; try again if the walk `can_restart`.
            SequenceLost: if the walk cannot restart, or the server does not know the sequence.
        """
        try:
            while True:
                chunk = yield from self._next()
                if chunk is not None and self._delivered.is_new(chunk):
                    return chunk
        except ServerUnavailable as error:
            begun, can_restart = self._last is not None, self.can_restart
            yield from self.end()
            if can_restart:
                self._sequence_id = self._sequence_id if self._is_callers_id else _new_id()
                raise
            if not begun or isinstance(error, SequenceLost):
                raise
            raise SequenceLost(
                f"sequence {self._sequence_id!r} is lost at chunk {index} ({error}): begin the"
                " video again, with another sequence_id"
            ) from error

    def end(self) -> Flow[None]:
        """End the sequence if it is open; the server drops a sequence that stays idle."""
        last, self._last = self._last, None
        call = None
        if last is not None and not last.is_last:
            call = _end(last, self._sequence_id, self._steps.inputs)
        if call is not None:
            try:
                yield call
            except TrireelError:
                pass

    def _next(self) -> Flow[ChunkAnalysis | None]:
        """Request the sequence's next chunk; return None if it is to be requested another way."""
        last, state = self._last, None
        index = self._resume_at if last is None else last.index + 1
        if last is None:
            state = self._state
        returns_state = self._returns_state
        call = self._steps.call(index, self._sequence_id, state, returns_state=returns_state)
        try:
            tensors = yield call
        except InvalidRequest as error:
            if self._without_state(str(error)):
                return None
            raise
        chunk = parse_chunk(tensors, self._steps.findings, num_chunks=len(self._steps))
        if chunk.index != index:
            raise SequenceLost(
                f"chunk {index} was answered as chunk {chunk.index}: another client uses sequence"
                f" {self._sequence_id!r} too, or a balancer split it between servers"
            )
        self._last = chunk
        if chunk.state is not None:
            self._state, self._resume_at = chunk.state, index + 1
        return chunk

    def _without_state(self, refusal: str) -> bool:
        """Return whether a request that was rejected goes without a state, and prepare for it.

        Another server may be of a version that returns no states, or reads them in another form.
        The chunks so far are then requested again.
        """
        if self._returns_state and _TOO_LARGE.search(refusal):
            self._returns_state = False  # the sequence is open, and an earlier state will do
            return True
        if self._returns_state and _UNKNOWN_INPUT.search(refusal):
            self._returns_state = False
        elif self._state is None or self._last is not None or "START_STATE" not in refusal:
            return False
        if self._first > 0:  # the chunks before it are not the caller's
            return False
        self._state, self._resume_at, self._last = None, 0, None
        if not self._is_callers_id:
            self._sequence_id = _new_id()
        return True


def plan_steps(
    server: Server,
    source: Video,
    options: Inputs,
    sequence_id: SequenceId | None,
    resumption: Resumption,
) -> Flow[Walk]:
    """Request a video's plan, and the embeddings of free texts."""
    _check_id(sequence_id)
    video = yield from video_inputs(server, source)
    probe = {**video, **options.planning, "FRAMES_PER_CHUNK": np.array([0], np.int32)}
    wanted = ("PLAN_START_SECONDS", "PLAN_DURATION_SECONDS", "VIDEO_DURATION_SECONDS")
    plan = parse_plan((yield Infer("frame_extractor", probe, wanted)))
    inputs = {**video, **options.planning, **options.chunk}
    for name, values in options.free_texts.items():
        inputs[name] = texts(values)
        inputs[FREE_TEXTS[name]] = yield from embed_texts(values, are_tags=name == "TAGS")
    return Walk(Steps(plan, inputs, options.findings), sequence_id, resumption)


def _end(chunk: ChunkAnalysis, sequence_id: SequenceId, inputs: Tensors) -> Infer | None:
    """Return a request that ends a sequence after `chunk`, None if that is not possible.

    The request goes to the decoder, which keeps the state, with an embedding that the decoder has
    sent. Nothing is uploaded, decoded or encoded, so it cannot fail as a chunk may have. A finding
    that needs more than embeddings rejects the request; the decoder drops the state all the same.
    """
    if chunk.embedding is None:
        return None
    end_inputs = {
        **{name: tensor for name, tensor in inputs.items() if name == "FIND"},
        "EMBEDDINGS": chunk.embedding[None],
        # Behind the last frame's, so that the decoder does not take it for a late chunk.
        "TIMESTAMPS": np.nextafter(chunk.frame_timestamps_seconds[-1:], np.inf),
    }
    turn = Turn(sequence_id, start=False, end=True)
    return Infer("temporal_decoder", end_inputs, ("CHUNK_INDICES",), turn=turn, brief=True)


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
