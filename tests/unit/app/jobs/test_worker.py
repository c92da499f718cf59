# SPDX-License-Identifier: Apache-2.0
"""A worker on the real engine, before a server that answers by a script."""

import json
import threading
import time

import numpy as np
import pytest
from unit.app.jobs.place import Place, number_of
from unit.client.scripted import INVALID, Refused, details, whole_video

from trireel_app.jobs.job import JobState
from trireel_app.jobs.submit import resume, submit

SERVER_FAILED = Refused("INTERNAL", 500, "internal error")


def lines(place: Place, name: str = "out.jsonl") -> list[dict]:
    return [json.loads(line) for line in (place.folder / name).read_text().splitlines()]


def test_answers_and_failures_stand_in_the_videos_order(place):
    def answer(asked):
        if number_of(asked) == 2:
            raise INVALID
        return whole_video()

    place.server.script.answers["video_analysis"] = answer
    sources = place.videos(5)
    submitted = submit(place.store, place.spec(), sources)
    with place.worker() as worker:
        job = place.ended(worker, submitted.job_id)
    assert (job.state, job.progress.done, job.progress.failed) == (JobState.FINISHED, 4, 1)
    rows = lines(place)
    assert [row["video_path"] for row in rows[::3]] == [
        source.uri for source in sources if source.uri != sources[2].uri
    ]
    assert set(rows[0]) == {"video_path", "clip_index", "start_sec", "end_sec", "summary"}
    (failure,) = lines(place, "out.jsonl.failed.jsonl")
    assert failure["video_path"] == sources[2].uri
    assert failure["kind"] == "InvalidRequest"
    assert sorted(place.settled) == [(n, "failed" if n == 2 else "done") for n in range(5)]


def test_only_what_may_pass_is_tried_again(place):
    asked_for = []

    def answer(asked):
        number = number_of(asked)
        asked_for.append(number)
        if number == 0 and asked_for.count(0) < 3:
            raise SERVER_FAILED
        if number == 1:
            raise SERVER_FAILED
        if number == 2:
            raise INVALID
        return whole_video()

    place.server.script.answers["video_analysis"] = answer
    submitted = submit(place.store, place.spec(), place.videos(3))
    with place.worker() as worker:
        place.ended(worker, submitted.job_id)
    assert [asked_for.count(number) for number in range(3)] == [3, 3, 1]
    assert sorted(place.settled) == [(0, "done"), (1, "failed"), (2, "failed")]
    assert "internal error" in lines(place, "out.jsonl.failed.jsonl")[0]["error"]


def test_a_server_with_another_bank_stops_the_job(place):
    began = threading.Event()

    def changed(asked):
        bank = "other" if began.is_set() else "first"
        return {**details(), "TEXT_BANK_SHA256": np.array([bank.encode()], object)}

    def answer(asked):
        began.set()
        if number_of(asked) == 0:
            return whole_video()
        raise Refused("UNAVAILABLE", 503, "stopping")  # and then another one starts

    place.server.script.answers |= {"server_info": changed, "video_analysis": answer}
    submitted = submit(place.store, place.spec(), place.videos(2))
    with place.worker(in_flight=1) as worker:
        job = place.ended(worker, submitted.job_id)
    assert job.state is JobState.STOPPED
    assert "text_bank_sha256: first, now other" in job.note


def test_a_stopped_job_ends_its_requests_and_goes_on(place):
    asked, go_on = threading.Event(), threading.Event()

    def answer(request):
        asked.set()
        if number_of(request) == 1:
            go_on.wait(30)
        return whole_video()

    place.server.script.answers["video_analysis"] = answer
    submitted = submit(place.store, place.spec(), place.videos(3))
    with place.worker() as worker:
        while not asked.wait(0.05):
            worker.tend()
        place.store.move(submitted.job_id, JobState.RUNNING, JobState.STOPPED, "enough")
        worker.tend()
        assert place.server.script.cancelled.wait(10)
        go_on.set()
        job = place.store.job(submitted.job_id)
        assert job.progress.settled < 3
        assert resume(place.store, job).is_resumed
        assert place.ended(worker, job.id).progress.done == 3
    assert [row["clip_index"] for row in lines(place)] == [0, 1, 2] * 3


def test_a_changed_video_is_analysed_again_on_resume(place):
    sources = place.videos(2)
    spec = place.spec()

    def answer(asked):
        if number_of(asked) == 1:
            raise SERVER_FAILED
        return whole_video()

    place.server.script.answers["video_analysis"] = answer
    submitted = submit(place.store, place.spec(attempts=1), sources)
    with place.worker() as worker:
        job = place.ended(worker, submitted.job_id)
        sources[0].path.write_bytes(b"video 7, another one")
        place.server.script.answers["video_analysis"] = lambda asked: whole_video()
        again = resume(place.store, job, failed=True)
        assert again.changed == (sources[0].uri,)
        assert place.ended(worker, job.id).progress.done == 2
    manifest = json.loads((place.folder / "out.jsonl.manifest.json").read_text())
    assert [video["size_bytes"] for video in manifest["videos"]] == [20, 7]
    assert not (place.folder / "out.jsonl.failed.jsonl").exists()
    assert not list(place.folder.glob(".trireel-*"))
    assert submit(place.store, spec, sources).job_id != job.id


def test_a_jobs_rate_is_kept(place):
    began = time.monotonic()
    submitted = submit(place.store, place.spec(per_minute=120.0), place.videos(5))
    with place.worker() as worker:
        place.ended(worker, submitted.job_id)
    assert time.monotonic() - began >= 2  # two at a time, a second apart


@pytest.mark.parametrize("in_flight", [1, 4])
def test_bytes_do_not_depend_on_the_order_of_answers(place, in_flight):
    def answer(asked):
        time.sleep(0.02 * (number_of(asked) % 3))
        return whole_video()

    place.server.script.answers["video_analysis"] = answer
    outputs = []
    for name in ("a", "b"):
        spec = place.spec(output=str(place.folder / name))
        submitted = submit(place.store, spec, place.videos(6))
        with place.worker(in_flight=in_flight if name == "a" else 2) as worker:
            place.ended(worker, submitted.job_id)
        folder = place.folder / name
        outputs.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert outputs[0] == outputs[1]
    assert set(outputs[0]) == {"part-00000.jsonl", "_manifest.json"}


def test_a_task_that_ended_without_outcome_holds_up_no_job(place, monkeypatch):
    monkeypatch.setattr("trireel_app.jobs.worker.LOOK_SECONDS", 0.1)
    job_id = submit(place.store, place.spec(), place.videos(3)).job_id
    with place.worker() as worker:
        worker.tend()  # the engine has the videos
        place.store.move(job_id, JobState.RUNNING, JobState.STOPPED)
        time.sleep(2.5)  # it runs their tasks, which leave them alone
        assert place.store.progress(job_id).queued == 3
        place.store.move(job_id, JobState.STOPPED, JobState.RUNNING)
        assert place.ended(worker, job_id).progress.done == 3
