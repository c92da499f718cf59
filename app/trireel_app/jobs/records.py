# SPDX-License-Identifier: Apache-2.0
"""From rows of the tables to values."""

import json
from typing import Any

from trireel_app.analyse.facts import ServerFacts
from trireel_app.jobs.job import Job, JobSpec, JobState, Outcome, Progress, Video, VideoState
from trireel_app.sources.source import VideoSource


def facts_of_text(text: str | None) -> ServerFacts | None:
    """Return the facts in a cell; None for an empty one."""
    return None if text is None else ServerFacts.from_json(json.loads(text))


def job_of_row(row: Any, progress: Progress) -> Job:
    """Return a job."""
    return Job(
        id=row.id,
        key=row.key,
        state=JobState(row.state),
        note=row.note,
        spec=JobSpec.from_json(row.spec),
        facts=facts_of_text(row.facts),
        created_at=row.created_at,
        progress=progress,
    )


def video_of_row(row: Any) -> Video:
    """Return a video of a job."""
    return Video(
        number=row.number,
        source=VideoSource(row.uri, json.loads(row.options)),
        state=VideoState(row.state),
        round=row.round,
        outcome=None if row.outcome is None else Outcome.from_json(json.loads(row.outcome)),
    )
