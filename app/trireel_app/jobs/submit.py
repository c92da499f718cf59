# SPDX-License-Identifier: Apache-2.0
"""A new job, or an unfinished one of the same request that goes on."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trireel_app.errors import InvalidOption
from trireel_app.jobs.job import Form, Job, JobSpec, JobState, RowKind, VideoState
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.tables import VIDEOS
from trireel_app.sources.facts import stamp_of
from trireel_app.sources.source import VideoSource, normal_uri, scheme_of, suffix_of
from trireel_client import InvalidRequest
from trireel_client._options import analysis_inputs

FILE_SUFFIXES = (".csv", ".json", ".ndjson", ".txt", ".gz", ".zip")


@dataclass(frozen=True)
class Submitted:
    """A job that was made or found."""

    job_id: str
    """Name of the job."""
    is_resumed: bool = False
    """True if the job had been begun before."""
    changed: tuple[str, ...] = ()
    """Videos that have changed since their answers, and are analysed again."""


def output_of(output: str, form: Form | None) -> tuple[str, Form]:
    """Return the normal address of an output and its format; raises InvalidOption."""
    named = {f".{each}": each for each in Form}.get(suffix_of(output))
    if named is None and form is not Form.LIBRARY and suffix_of(output) in FILE_SUFFIXES:
        raise InvalidOption(
            f"the output {output!r} is no format: give *.jsonl, *.parquet or a folder"
        )
    if named and form and named is not form:
        raise InvalidOption(f"the output {output!r} is not {form}: leave --format out")
    if scheme_of(output) in ("http", "https"):
        raise InvalidOption(f"the output is {output!r}: give a path or s3://BUCKET/KEY")
    return normal_uri(output).rstrip("/"), named or form or Form.JSONL


def check_options(options: Mapping[str, Any], sources: Sequence[VideoSource]) -> None:
    """Check the options of a job and of its videos before anything runs; raises InvalidOption."""
    seen: list[Mapping[str, Any]] = [options]
    for source in sources:
        if source.options and source.options not in seen:
            seen.append(source.options)
    for each in seen:
        try:
            analysis_inputs(each)  # type: ignore[arg-type]
        except (InvalidRequest, TypeError) as error:
            raise InvalidOption(str(error)) from error


def submit(store: JobStore, spec: JobSpec, sources: Sequence[VideoSource]) -> Submitted:
    """Make a job, or go on with the unfinished job of the same request.

    Raises:
        InvalidOption: if another unfinished job is to write the same output, or rows and format
            do not fit.
        LibraryError: if the database cannot be used.
    """
    if spec.rows is RowKind.FRAMES and spec.form is Form.JSONL:
        raise InvalidOption("rows of frames hold embeddings: give --format parquet")
    check_options(spec.options, sources)
    _check_inputs_stay(spec, sources)
    key = spec.key(sources)
    others = store.unfinished(spec.output)
    for job in others:
        if job.key == key:
            return resume(store, job)
    if others and spec.form is not Form.LIBRARY:  # any number of jobs add to a library
        job = others[0]
        raise InvalidOption(
            f"job {job.id} with other videos or options is to write {spec.output}: end it by"
            f" `trireel jobs remove {job.id}`, or give another output"
        )
    return Submitted(store.create(spec, sources))


def resume(store: JobStore, job: Job, *, failed: bool = False) -> Submitted:
    """Let a job go on; videos that changed since their answers are analysed again."""
    changed = [
        video
        for video in store.videos(job.id, VIDEOS.c.state == VideoState.DONE)
        if video.outcome and video.outcome.stamp and stamp_of(video.source) != video.outcome.stamp
    ]
    states = [VideoState.FAILED] if failed else []
    if job.state is JobState.STOPPED:  # of a running job the queued videos are in good hands
        states.append(VideoState.QUEUED)
    numbers = [video.number for video in changed]
    if numbers or states or job.state is not JobState.FINISHED:
        store.reopen(job.id, numbers, states)
    return Submitted(job.id, True, tuple(video.source.uri for video in changed))


def _check_inputs_stay(spec: JobSpec, sources: Sequence[VideoSource]) -> None:
    """Reject an output that would replace one of the videos."""
    if any(source.uri == spec.output for source in sources):
        raise InvalidOption(f"the output {spec.output!r} is one of the videos: give another")
    if not scheme_of(spec.output) and os.path.isfile(os.path.dirname(spec.output)):
        raise InvalidOption(f"the output {spec.output!r} lies in a file: give another")
