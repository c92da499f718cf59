# SPDX-License-Identifier: Apache-2.0
"""The commands `trireel batch` and `trireel jobs`, on a database without a worker."""

import json

import pytest
import typer
from typer.testing import CliRunner

from trireel_app.commands.batch import batch
from trireel_app.commands.jobs import app as jobs
from trireel_app.engine.database import VARIABLE, open_database
from trireel_app.engine.port import Task
from trireel_app.jobs.job import JobState, Outcome, VideoState
from trireel_app.jobs.store import JobStore

batch_app = typer.Typer()
batch_app.command()(batch)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "jobs.sqlite")
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"video")
    store = JobStore(open_database("jobs.sqlite"))
    yield store
    store.database.dispose()


def run(app, *arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def begin(*arguments):
    return run(batch_app, "a.mp4", "b.mp4", "--detach", *arguments)


def settle(store, job, number, outcome):
    tasks = []
    store.feed(job, lambda connection, found: tasks.extend(found))
    assert store.settle(Task(job.id, number, 0, 3), outcome)


def test_a_job_keeps_what_was_asked_for(store, tmp_path):
    options = ["--find", "tags", "--frame-every-sec", 2, "--crop", "0,0.5,1,0.5", "--top-k", 3]
    result = begin("--output", "out.jsonl", *options)
    assert result.exit_code == 0, result.output
    (job,) = store.jobs()
    assert job.spec.output == str(tmp_path / "out.jsonl")
    assert job.spec.options == {
        "find": ["tags"],
        "sample_fps": 0.5,
        "crop": [0.0, 0.5, 1.0, 0.5],
        "top_k": 3,
    }
    assert "goes on" in begin("--output", "out.jsonl", *options).output
    assert len(store.jobs()) == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--output", "a.mp4"], "is one of the videos"),
        (["--output", "out.csv"], "is no format"),
        (["--crop", "1,2"], "is not four numbers"),
        (["--crop", "0,0,1,1", "--crop-px", "0,0,9,9"], "both of crop and crop_px"),
        (["--rows", "frames"], "--format parquet"),
        (["--url", "nowhere"], "HOST:PORT"),
        (["--manifest", "none.csv"], "cannot be read"),
        (["--attempts", "8"], "less than or equal to 7"),
    ],
)
def test_a_wrong_option_makes_no_job(store, arguments, reason):
    result = begin(*arguments)
    assert result.exit_code == 2
    assert reason in " ".join(result.output.replace("│", " ").split())
    assert store.jobs() == []


def test_another_job_for_the_same_output_is_rejected(store):
    begin("--output", "out.jsonl")
    result = begin("--output", "out.jsonl", "--top-k", 3)
    assert result.exit_code == 2
    assert "trireel jobs remove" in result.output


def test_jobs_are_listed_shown_cancelled_and_removed(store):
    begin("--output", "out.jsonl")
    (job,) = store.jobs()
    done = Outcome(state=VideoState.DONE, duration_seconds=90.0, busy_seconds=2.0)
    settle(store, job, 0, done)
    (listed,) = map(json.loads, run(jobs, "list", "--json").output.splitlines())
    assert (listed["job"], listed["done"], listed["videos"]) == (job.id, 1, 2)
    assert job.id in run(jobs, "list").output
    assert "1 of 2 videos analysed, 0.03 h" in run(jobs, "show", job.id[:4]).output
    assert run(jobs, "remove", job.id).exit_code == 2  # it runs
    assert run(jobs, "cancel", job.id).exit_code == 0
    assert run(jobs, "cancel", job.id).exit_code == 2
    assert store.job(job.id).state is JobState.STOPPED
    assert run(jobs, "resume", job.id, "--detach").exit_code == 0
    assert store.job(job.id).state is JobState.RUNNING
    assert store.claim(Task(job.id, 1, 0, 3)) is None  # the video waits for another round
    run(jobs, "cancel", job.id)
    assert run(jobs, "remove", job.id).exit_code == 0
    assert "there is no job" in run(jobs, "show", job.id).output


def test_only_failed_videos_are_tried_again(store):
    begin("--output", "out.jsonl")
    (job,) = store.jobs()
    assert "has no failed videos" in run(jobs, "retry-failed", job.id).output
    settle(store, job, 0, Outcome(state=VideoState.DONE))
    settle(store, job, 1, Outcome(state=VideoState.FAILED, reason="no video"))
    shown = json.loads(run(jobs, "show", job.id, "--json").output)
    assert [failure["error"] for failure in shown["failures"]] == ["no video"]
    assert run(jobs, "retry-failed", job.id, "--detach").exit_code == 0
    states = [video.state for video in store.videos(job.id)]
    assert states == [VideoState.DONE, VideoState.WAITING]


def test_an_outcome_counts_once(store):
    begin("--output", "out.jsonl")
    (job,) = store.jobs()
    settle(store, job, 0, Outcome(state=VideoState.DONE, duration_seconds=1.0))
    late = Outcome(state=VideoState.FAILED, reason="late")
    assert not store.settle(Task(job.id, 0, 0, 3), late)
    store.reopen(job.id, [0])
    assert not store.settle(Task(job.id, 0, 0, 3), late)  # of the round before
    assert store.progress(job.id).settled == 0
