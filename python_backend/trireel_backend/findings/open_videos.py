# SPDX-License-Identifier: Apache-2.0
"""The videos that a sequence model has open: progress, limits, and states as bytes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from trireel_backend.errors import Full, InvalidInput, RequestError
from trireel_backend.findings.codec import size_bytes
from trireel_backend.findings.progress import ChunkTimes, Progress
from trireel_backend.findings.registry import state_types
from trireel_backend.findings.sequences import SequenceStore
from trireel_backend.findings.snapshot import Checkpoint, Snapshots
from trireel_backend.wire.parameters import at_least_one
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors

SEQUENCE_HINT_SECONDS = 5  # a guess: clients end their videos when they like
STORE_MARGIN_SECONDS = 30.0  # Triton must be the first to call a sequence idle


@dataclass(frozen=True)
class SequenceSettings:
    """Limits of the videos whose state a model keeps."""

    max_sequences: int = 256
    """Most sequences of clients open in one instance; a further sequence is rejected at its START.
    Sequences of whole videos do not count: the slots for whole videos limit them."""
    max_state_bytes: int = 2**30
    """Memory for the states of clients' sequences in one instance; a further sequence is rejected
    at its START. From the limit on, answers to last chunks are not kept for a repeated request."""

    def __post_init__(self) -> None:
        """Check the limits; raises StartupError if one is below 1."""
        at_least_one("max_sequences", self.max_sequences)
        at_least_one("max_state_bytes", self.max_state_bytes)


def snapshots_of(checkpoint: Checkpoint) -> Snapshots:
    """Return what writes and reads the states of `temporal_decoder`."""
    types = {"chunks": int, "times": ChunkTimes, **state_types()}
    return Snapshots("temporal_decoder", checkpoint, types)


class OpenVideos:
    """The progress of every live video, by correlation id; used by one thread at a time."""

    def __init__(
        self,
        snapshots: Snapshots,
        settings: SequenceSettings,
        *,
        idle_seconds: float,
        expired: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Keep no video yet.

        Args:
            snapshots: writes and reads states.
            settings: limits of the sequences of clients.
            idle_seconds: time after which Triton drops a sequence without requests.
            expired: called with the number of videos that were dropped as idle.
        """
        self._snapshots = snapshots
        self._settings = settings
        self._of_clients, self._of_videos = (
            SequenceStore(
                Progress,
                idle_seconds=idle_seconds + min(STORE_MARGIN_SECONDS, idle_seconds),
                expired=expired,
            )
            for _ in range(2)
        )

    def __len__(self) -> int:
        return len(self._of_clients) + len(self._of_videos)

    def take(self, request: Request) -> Progress:
        """Return the progress of a request's video; START begins it anew, or with START_STATE.

        END drops the video, even if the request fails.

        Raises:
            InvalidInput: if the video is not open, or START_STATE cannot be used.
            Full: if a client's sequence would begin, and the most allowed are open.
        """
        restored = self._restored(request)
        self._check_room(request, restored)
        store = self._store(request)
        progress = store.take(request.correlation_id, start=request.starts, end=request.ends)
        return progress if restored is None else restored

    def peek(self, request: Request) -> Progress | None:
        """Return the progress that `take` would return, and change nothing; None if it would raise.

        Raises:
            InvalidInput: if START_STATE cannot be used.
        """
        restored = self._restored(request)
        progress = self._store(request).peek(request.correlation_id, start=request.starts)
        return progress if restored is None else restored

    def put(self, request: Request, progress: Progress) -> None:
        """Keep the progress after a request, unless the request ends its video."""
        if request.ends:
            return
        if request.is_inner:
            self._of_videos.put(request.correlation_id, progress.without_answer())
            return
        store, size = self._of_clients, size_bytes(progress)
        if store.total_bytes + size <= self._settings.max_state_bytes:
            progress = progress.with_own_answer()
        else:
            progress = progress.without_answer()
            size = size_bytes(progress)
        store.put(request.correlation_id, progress, size)

    def state_tensor(self, request: Request, progress: Progress) -> Tensors:
        """Return STATE if the request wants it; the state of a video that has ended is empty.

        Raises:
            InvalidInput: if the state is too large to be returned.
        """
        if not request.number("RETURN_STATE", bool):
            return {}
        packed = b"" if request.ends else self._snapshots.pack(progress.parts())
        return {"STATE": np.frombuffer(packed, np.uint8)}

    def forget_idle(self) -> None:
        """Drop idle videos; needed while no requests arrive."""
        for store in (self._of_clients, self._of_videos):
            store.forget_idle()

    def _store(self, request: Request) -> SequenceStore[Progress]:
        return self._of_videos if request.is_inner else self._of_clients

    def _restored(self, request: Request) -> Progress | None:
        state = request.array("START_STATE")
        if state is None:
            return None
        if not request.starts:
            raise InvalidInput("got START_STATE without START: send both, or the chunk alone")
        return Progress.of_parts(self._snapshots.unpack(np.ascontiguousarray(state).data))

    def _check_room(self, request: Request, restored: Progress | None) -> None:
        store, is_open = self._of_clients, request.correlation_id in self._of_clients
        if request.is_inner or request.ends or not request.starts or (is_open and not restored):
            return
        new_bytes = 0 if restored is None else size_bytes(restored)
        for _ in range(2):
            is_long = not is_open and len(store) >= self._settings.max_sequences
            if not is_long and store.total_bytes + new_bytes < self._settings.max_state_bytes:
                return
            store.forget_idle()
        raise Full(
            f"the server is full: {len(store)} sequences are open in it"
            f"{'' if is_long else f' with {store.total_bytes} bytes of states'}, the most"
            f" allowed: ask again in about {SEQUENCE_HINT_SECONDS} s, or ask another server"
        )


@contextmanager
def fitting_state(request: Request) -> Iterator[None]:
    """Raise InvalidInput if a state that came with the request does not fit its chunk."""
    try:
        yield
    except RequestError:
        raise
    except Exception as error:
        if request.array("START_STATE") is None:
            raise
        raise InvalidInput(
            "START_STATE does not fit the chunk: send the bytes of STATE as they came"
        ) from error
