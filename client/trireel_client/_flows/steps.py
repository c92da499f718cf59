# SPDX-License-Identifier: Apache-2.0
"""Going through a video chunk by chunk, as one sequence of requests."""

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

SequenceId = str | int


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

    def call(self, index: int, sequence_id: SequenceId) -> Infer:
        """Return the request of a chunk."""
        inputs = {**self.inputs, "START_SECONDS": np.array([self.plan.start_seconds[index]])}
        if len(self) > 1:  # a video of one chunk may be shorter than the shortest CHUNK_SECONDS
            inputs["CHUNK_SECONDS"] = np.array([self.plan.duration_seconds[index]])
        turn = Turn(sequence_id, start=index == 0, end=index == len(self) - 1)
        return Infer("video_chunk", inputs, request_id=str(sequence_id), turn=turn)


class Walk:
    """One walk through a video, chunk by chunk; it restarts if a server is lost on the way.

    A turn is never sent twice in a sequence, because it might count twice. A restart requests the
    caller's chunks again under another sequence id, so that a state of the first sequence that is
    left on a server cannot be mistaken for the new one's.
    """

    def __init__(self, steps: Steps, sequence_id: SequenceId | None) -> None:
        """Make a walk; it cannot restart if the caller gives a `sequence_id`."""
        self._steps = steps
        self._delivered = DeliveredChunks()
        self.can_restart = sequence_id is None
        self._sequence_id: SequenceId = _new_id() if sequence_id is None else sequence_id
        self._last: ChunkAnalysis | None = None
        """Last answer of the sequence; None before the first and after the end."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._steps)))

    def chunk(self, index: int) -> Flow[ChunkAnalysis]:
        """Request a chunk; in a new sequence, request all chunks before it first.

        Raises:
            ServerUnavailable: if the server is not available; try again if the walk `can_restart`.
            SequenceLost: if the walk cannot restart, or the server does not know the sequence.
        """
        try:
            while True:
                chunk = yield from self._next()
                if self._delivered.is_new(chunk):
                    return chunk
        except ServerUnavailable as error:
            begun = self._last is not None
            yield from self.end()
            if self.can_restart:
                self._sequence_id = _new_id()
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

    def _next(self) -> Flow[ChunkAnalysis]:
        index = 0 if self._last is None else self._last.index + 1
        tensors = yield self._steps.call(index, self._sequence_id)
        chunk = parse_chunk(tensors, self._steps.findings, num_chunks=len(self._steps))
        if chunk.index != index:
            raise SequenceLost(
                f"chunk {index} was answered as chunk {chunk.index}: another client uses sequence"
                f" {self._sequence_id!r} too, or a balancer split it between servers"
            )
        self._last = chunk
        return chunk


def plan_steps(
    server: Server,
    source: Video,
    options: Inputs,
    sequence_id: SequenceId | None,
) -> Flow[Walk]:
    """Request a video's plan, and the embeddings of free-text tags."""
    _check_id(sequence_id)
    video = yield from video_inputs(server, source)
    probe = {**video, **options.planning, "FRAMES_PER_CHUNK": np.array([0], np.int32)}
    wanted = ("PLAN_START_SECONDS", "PLAN_DURATION_SECONDS", "VIDEO_DURATION_SECONDS")
    plan = parse_plan((yield Infer("frame_extractor", probe, wanted)))
    inputs = {**video, **options.planning, **options.chunk}
    if options.tags is not None:
        inputs["TAGS"] = texts(options.tags)
        inputs["TAG_EMBEDDINGS"] = yield from embed_texts(options.tags)
    return Walk(Steps(plan, inputs, options.findings), sequence_id)


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
        "TIMESTAMPS": np.array(chunk.frame_timestamps_seconds[-1:]),
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
