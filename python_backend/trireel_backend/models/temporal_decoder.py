# SPDX-License-Identifier: Apache-2.0
"""Answers of `temporal_decoder`: a video's next chunk, with the state of its sequence."""

import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.errors import InvalidInput, RequestError
from trireel_backend.findings.chunk import NO_ANSWERS, Answers, ChunkFrames
from trireel_backend.findings.decoder import Decoder, read_options
from trireel_backend.findings.finding import Calls, Knowledge, ServerModels
from trireel_backend.findings.open_videos import (
    OpenVideos,
    SequenceSettings,
    fitting_state,
    snapshots_of,
)
from trireel_backend.findings.progress import ChunkTimes, Place, Progress
from trireel_backend.findings.rounds import answered
from trireel_backend.findings.scene_settings import SceneSettings
from trireel_backend.findings.snapshot import Checkpoint, Snapshots
from trireel_backend.findings.turns_in_flight import TurnsInFlight
from trireel_backend.metrics.family import Family, Kind, Metrics
from trireel_backend.metrics.refusals import REFUSALS, refusals_counted
from trireel_backend.ranking.large_banks import CodedTexts
from trireel_backend.whole_video.stages import CallModel
from trireel_backend.wire.parameters import model_parameters, read_settings, sequence_idle_seconds
from trireel_backend.wire.request import KEEP_SEQUENCE, Request
from trireel_backend.wire.tensors import NUMPY_TYPES, Tensors, texts
from trireel_backend.wire.views import unpack_views
from trireel_schema.catalogue import FINDINGS, SEQUENCE_INPUTS, TENSORS, VIEW_TENSORS
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE
from trireel_schema.texts import TextBank

FRAME_WEIGHT_SECONDS = 1.0  # of a frame, if its chunk states no duration
SWEEP_SECONDS = 5.0  # between sweeps for idle videos
CALLS_AT_ONCE = 64  # of other models: so many that those of many videos share a batch
INPUTS = (
    *("EMBEDDINGS", "TIMESTAMPS", "CHUNK_START_SECONDS", "CHUNK_DURATION_SECONDS", "FIND"),
    *VIEW_TENSORS,
    *SEQUENCE_INPUTS,
    *(name for finding in FINDINGS.values() for name in finding.inputs),
)

CHUNKS = Family("trireel_chunks_total", "Chunks decoded.")
CUTS = Family("trireel_cuts_total", "Scene changes found.")
VIDEO_SECONDS = Family("trireel_video_seconds_total", "Length of the decoded chunks, as stated.")
LIVE_SEQUENCES = Family(
    "trireel_live_sequences", "Videos whose state is kept for their next chunk.", Kind.GAUGE
)
SEQUENCES_LIMIT = Family(
    "trireel_live_sequences_limit", "Sequences that clients may have open at once.", Kind.GAUGE
)
SEQUENCES_EXPIRED = Family(
    "trireel_sequences_expired_total", "Sequences dropped because no request came for too long."
)
DECODER_FAMILIES = (
    REFUSALS,
    CHUNKS,
    CUTS,
    VIDEO_SECONDS,
    *(LIVE_SEQUENCES, SEQUENCES_LIMIT, SEQUENCES_EXPIRED),
)


class SequenceDecoder:
    """A decoder and the state of every live video; used by one thread, swept by another."""

    def __init__(
        self,
        decoder: Decoder,
        snapshots: Snapshots,
        metrics: Metrics,
        call_model: CallModel,
        *,
        idle_seconds: float,
        settings: SequenceSettings,
    ) -> None:
        """Keep no state yet.

        Args:
            decoder: what decodes.
            snapshots: writes and reads states.
            metrics: counts chunks and sequences.
            call_model: sends a request to a model of this server.
            idle_seconds: time after which Triton drops a sequence without requests.
            settings: limits of the sequences of clients.
        """
        self._decoder = decoder
        self._metrics = metrics
        self._call_model = call_model
        self._lock = threading.Lock()
        self._turns = TurnsInFlight()
        metrics.set(SEQUENCES_LIMIT, settings.max_sequences)
        self._videos = OpenVideos(
            snapshots,
            settings,
            idle_seconds=idle_seconds,
            expired=partial(metrics.add, SEQUENCES_EXPIRED),
        )

    @classmethod
    def of_model(
        cls, folder: Path, model_config_json: str, metrics: Metrics, call_model: CallModel
    ) -> "SequenceDecoder":
        """Load the export from a model's folder; timeout and limit come from the model's config.

        Raises:
            StartupError: if a file of the export or a parameter is missing or wrong.
        """
        metadata = load_metadata(folder / METADATA_FILE)
        loaded = load_text_bank(folder / TEXT_BANK_FILE, metadata)
        bank = TextBank(CodedTexts.of(loaded.tags), CodedTexts.of(loaded.descriptions))
        parameters = model_parameters(model_config_json)
        scenes = read_settings(SceneSettings, parameters)
        knowledge = Knowledge(
            bank,
            metadata.calibration,
            *scenes.over(metadata),
            has_shot_model=scenes.shot_model,
            judges_every_window=scenes.every_shot_window,
            models=ServerModels.of_folder(folder),
        )
        return cls(
            Decoder(knowledge),
            snapshots_of(Checkpoint.of(metadata, loaded)),
            metrics,
            call_model,
            idle_seconds=sequence_idle_seconds(model_config_json),
            settings=read_settings(SequenceSettings, parameters),
        )

    def answer(self, request: Request) -> Tensors | Coroutine[Any, Any, Tensors]:
        """Decode one chunk; a request that only keeps its sequence alive gets an empty answer.

        If a finding needs other models, the answer comes from a coroutine, and requests of other
        sequences are answered meanwhile.

        Raises:
            InvalidInput: if the request is wrong; the state of the video does not change.
            Full: if a client's sequence would begin, and the most allowed are open.
        """
        with self._lock, refusals_counted(self._metrics):
            calls = None if self._turns.is_busy(request) else self._calls(request)
            if calls is not None and not calls:
                return self._counted_answer(request, {})
            self._turns.add(request)
            return self._answer_later(request.with_own_inputs(INPUTS), calls)

    async def _answer_later(self, request: Request, calls: Calls | None) -> Tensors:
        """Answer after the earlier requests of the sequence, and after the calls it needs.

        Args:
            calls: None if they depend on an earlier request of the sequence.
        """
        async with self._turns.turn(request):
            if calls is None:
                with self._lock, refusals_counted(self._metrics):
                    calls = self._calls(request)
            answers = await self._called(request, calls)
            with self._lock, refusals_counted(self._metrics):
                return self._counted_answer(request, answers)

    async def _called(self, request: Request, calls: Calls) -> Answers:
        try:
            with refusals_counted(self._metrics):
                return await answered(calls, self._call_model, partial(self._more_calls, request))
        except Exception:
            with self._lock:
                self._drop_state_if_due(request)
            raise

    def _calls(self, request: Request) -> Calls:
        """Return the calls that a request needs; a request that will be rejected needs none."""
        if KEEP_SEQUENCE in request.parameters:
            return {}
        try:
            return self._needed_calls(request)
        except RequestError:
            self._drop_state_if_due(request)
            raise

    def _drop_state_if_due(self, request: Request) -> None:
        """Drop the state for START or END: they do so, even if the request fails."""
        if request.starts or request.ends:
            with suppress(RequestError):
                self._videos.take(request)
            self._count_live()

    def _more_calls(self, request: Request, answers: Answers) -> Calls:
        with self._lock:
            return self._needed_calls(request, answers)

    def _needed_calls(self, request: Request, answers: Answers = NO_ANSWERS) -> Calls:
        options = read_options(request)
        progress = self._videos.peek(request) if self._decoder.may_call(options) else None
        if progress is None:
            return {}
        place, before = progress.place(request, options)
        if place is Place.REPEATED and (before is None or not request.ends):
            return {}
        with fitting_state(request):
            chunk = replace(_chunk_frames(request), answers=answers)
            return self._decoder.calls(before or progress.state, chunk, options)

    def _counted_answer(self, request: Request, answers: Answers) -> Tensors:
        try:
            return self._answer(request, answers)
        finally:
            self._count_live()

    def sweep(self) -> None:
        """Drop idle videos; needed while no requests arrive."""
        with self._lock:
            self._videos.forget_idle()
            self._count_live()

    def _answer(self, request: Request, answers: Answers) -> Tensors:
        if KEEP_SEQUENCE in request.parameters and request.starts:
            raise InvalidInput(f"got {KEEP_SEQUENCE} with START: send it after the first chunk")
        progress = self._videos.take(request)
        if KEEP_SEQUENCE in request.parameters:  # with END, the video is abandoned
            self._videos.put(request, progress)
            return {}
        progress, answer, place = self._advance(request, progress, answers)
        state = self._videos.state_tensor(request, progress)
        self._videos.put(request, progress)
        if place is Place.NEW:
            self._count(request, answer)
        status = {"CHUNK_STATUS": texts([place.value]), **state}
        return {**_empty_outputs(request, answer), **answer, **status}

    def _advance(
        self, request: Request, progress: Progress, answers: Answers
    ) -> tuple[Progress, Tensors, Place]:
        """Decode a chunk; return the progress after it, the answer, and the chunk's place."""
        chunk, options = replace(_chunk_frames(request), answers=answers), read_options(request)
        place, before = progress.place(request, options)
        if place is Place.REPEATED:
            if before is None:
                raise InvalidInput(
                    "the chunk is the last one of its sequence again, and its answer is not kept"
                    " here: send the next chunk"
                )
            if not request.ends:
                return progress, dict(progress.answer), place
        before = before or progress.state
        with fitting_state(request):
            state, answer = self._decoder.decode(before, chunk, options)
        return Progress(state, ChunkTimes.of(request), before, answer), answer, place

    def _count_live(self) -> None:
        self._metrics.set(LIVE_SEQUENCES, len(self._videos))

    def _count(self, request: Request, answer: Tensors) -> None:
        self._metrics.add(CHUNKS)
        if cuts := len(answer.get("SCENE_TIMESTAMPS", ())):
            self._metrics.add(CUTS, cuts)
        if (seconds := request.number("CHUNK_DURATION_SECONDS", float)) is not None:
            self._metrics.add(VIDEO_SECONDS, seconds)


def _empty_outputs(request: Request, answer: Tensors) -> Tensors:
    """Return empty outputs for findings that FIND does not name: an ensemble needs all its outputs.

    All their dimensions are 0.
    """
    outputs = [output for finding in FINDINGS.values() for output in finding.outputs]
    missing = request.requested_outputs.intersection([*outputs, "STATE"]) - answer.keys()
    return {
        name: np.zeros((0,) * len(TENSORS[name].shape), NUMPY_TYPES[TENSORS[name].dtype])
        for name in missing
    }


def _chunk_frames(request: Request) -> ChunkFrames:
    embeddings = request.required("EMBEDDINGS")
    duration_seconds = request.number("CHUNK_DURATION_SECONDS", float)
    packed = {name: request.array(name) for name in VIEW_TENSORS}
    arrays = {name: array for name, array in packed.items() if array is not None}
    if 0 < len(arrays) < len(packed):
        raise InvalidInput(f"got {', '.join(arrays)} alone: send all of {', '.join(VIEW_TENSORS)}")
    weight_seconds = FRAME_WEIGHT_SECONDS * len(embeddings)
    return ChunkFrames(
        embeddings,
        request.required("TIMESTAMPS"),
        weight_seconds if duration_seconds is None else duration_seconds,
        unpack_views(arrays) if arrays else {},
        start_seconds=request.number("CHUNK_START_SECONDS", float),
        duration_seconds=duration_seconds,
        is_last=request.ends,
    )
