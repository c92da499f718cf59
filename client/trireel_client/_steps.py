# SPDX-License-Identifier: Apache-2.0
"""Going through a video chunk by chunk, as one sequence of requests."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trireel_client._calls import Infer, Turn
from trireel_client._errors import InvalidRequest
from trireel_client._flows import Flow, Server, embed_texts, video_inputs
from trireel_client._options import Inputs, Tensors, texts
from trireel_client._parse import Plan, parse_chunk, parse_plan
from trireel_client._results import ChunkAnalysis
from trireel_client._sources import Video


@dataclass(frozen=True)
class Steps:
    """A video's chunks, ready to be asked for one by one."""

    plan: Plan
    """The server's."""
    inputs: Tensors
    """Those that every chunk brings."""
    sequence_id: str | int
    """The correlation id."""

    def calls(self) -> Iterator[Infer]:
        """Yield the request of each chunk, in order."""
        last = len(self.plan.start_seconds) - 1
        for i, (start, duration) in enumerate(
            zip(self.plan.start_seconds, self.plan.duration_seconds, strict=True)
        ):
            inputs = {**self.inputs, "START_SECONDS": np.array([start])}
            if last > 0:  # a video of one chunk may be shorter than a chunk may be asked to be
                inputs["CHUNK_SECONDS"] = np.array([duration])
            turn = Turn(self.sequence_id, start=i == 0, end=i == last)
            yield Infer("video_chunk", inputs, request_id=str(self.sequence_id), turn=turn)

    def read(self, tensors: Tensors) -> ChunkAnalysis:
        """Return what one answer says."""
        return parse_chunk(tensors, num_chunks=len(self.plan.start_seconds))

    def abandon(self, chunk: ChunkAnalysis) -> Infer | None:
        """Return a request that ends the sequence after `chunk`, None where there is no way.

        It goes to the decoder itself, which keeps the state, and brings an embedding that it has
        sent: nothing is uploaded, decoded or encoded, so it cannot fail as a chunk may have.
        """
        if chunk.embedding is None:
            return None
        inputs = {
            "EMBEDDINGS": chunk.embedding[None],
            "TIMESTAMPS": np.array(chunk.frame_timestamps_seconds[-1:]),
        }
        turn = Turn(self.sequence_id, start=False, end=True)
        return Infer("temporal_decoder", inputs, ("CHUNK_INDICES",), turn=turn, brief=True)


def plan_steps(
    server: Server,
    source: Video,
    asked: Inputs,
    sequence_id: str | int | None,
) -> Flow[Steps]:
    """Ask for a video's plan, and for the embeddings of free-text tags."""
    sequence_id = _checked_id(sequence_id)
    video = yield from video_inputs(server, source)
    look = {**video, **asked.planning, "FRAMES_PER_CHUNK": np.array([0], np.int32)}
    wanted = ("PLAN_START_SECONDS", "PLAN_DURATION_SECONDS", "VIDEO_DURATION_SECONDS")
    plan = parse_plan((yield Infer("frame_extractor", look, wanted)))
    inputs = {**video, **asked.planning, **asked.chunk}
    if asked.tags is not None:
        inputs["TAGS"] = texts(asked.tags)
        inputs["TAG_EMBEDDINGS"] = yield from embed_texts(asked.tags)
    return Steps(plan, inputs, sequence_id)


def _checked_id(sequence_id: str | int | None) -> str | int:
    if sequence_id is None:
        return str(uuid.uuid4())
    # 0 and "" stand for no sequence at all; gRPC carries a number as a signed 64-bit integer.
    if sequence_id == "" or (isinstance(sequence_id, int) and not 0 < sequence_id < 2**63):
        raise InvalidRequest(
            f"sequence_id is {sequence_id!r}: give a text, or a number from 1 to 2**63 - 1"
        )
    return sequence_id
