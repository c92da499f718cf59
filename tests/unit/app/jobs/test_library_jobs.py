# SPDX-License-Identifier: Apache-2.0
"""Jobs whose output is a library: results, progress for watchers, kills, and removed videos."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from unit.app.jobs.place import Place, number_of
from unit.client.scripted import (
    INVALID,
    NUM_CHUNKS,
    Refused,
    bytes_of,
    details,
    one_chunk,
    whole_video,
)

from trireel_app.index.keeper import Keeper
from trireel_app.jobs.events import EventLog, NewEvent
from trireel_app.jobs.job import Form, JobSpec, JobState
from trireel_app.jobs.submit import resume, submit
from trireel_app.library import Library, video_id_of

VIDEO_ID = "0123456789abcdef0123"


def whole():
    return whole_video(with_embeddings=True)


def parts():
    for index in range(NUM_CHUNKS):
        yield {**one_chunk(index, with_embeddings=True), "IS_AGGREGATE": np.array([False])}
    yield {**whole(), "IS_AGGREGATE": np.array([True])}


def pictures(asked):
    count = len(asked.inputs["START_SECONDS"])
    return {
        "FRAMES": np.zeros((count, 4, 4, 3), np.uint8),
        "TIMESTAMPS": np.zeros(count),
        "CHUNK_NUM_FRAMES": np.ones(count, np.int32),
    }


@pytest.fixture
def place(place: Place) -> Place:
    place.server.script.answers |= {
        "video_analysis": lambda asked: whole(),
        "video_analysis_stream": lambda asked: parts(),
        "frame_extractor": pictures,
    }
    return place


def spec_of(place: Place, **changes) -> JobSpec:
    return place.spec(form=Form.LIBRARY, output=str(place.folder / "library"), **changes)


def watched(place: Place) -> JobSpec:
    return spec_of(place, video_id=VIDEO_ID, owner="ann")


def told(place: Place) -> list[tuple[str, object]]:
    events = EventLog(place.store.database).after(0, video_id=VIDEO_ID)
    assert [event.id for event in events] == sorted({event.id for event in events})
    assert {event.owner for event in events} <= {"ann"}
    return [(event.kind, json.loads(event.data)) for event in events]


def test_each_video_is_put_into_library_and_index(place):
    sources = place.videos(3)
    submitted = submit(place.store, spec_of(place), sources)
    with place.worker() as worker:
        job = place.ended(worker, submitted.job_id)
    assert (job.state, job.progress.done) == (JobState.FINISHED, 3)
    keeper = Keeper(Library(place.folder / "library"))
    ids = {video_id_of(source.uri) for source in sources}
    assert {entry.video_id for entry in keeper.library.videos()} == ids
    assert set(keeper.store().videos()) == ids
    assert {path.name for path in (place.folder / "library").iterdir()} == {
        "library.json",
        "videos",
        "index",
    }


def test_a_watched_video_tells_its_progress(place):
    job_id = submit(place.store, watched(place), place.videos(1)).job_id
    with place.worker() as worker:
        assert place.ended(worker, job_id).progress.done == 1
    events = told(place)
    kinds = [kind for kind, _ in events]
    assert events[0] == ("state", {"state": "running", "error": None})
    assert kinds[-2:] == ["state", "done"]
    assert [data["seconds"] for kind, data in events if kind == "scene"] == [13.75, 23.75]
    done = events[-1][1]
    assert done["num_scenes"] == 0  # the script tells cuts alone
    assert done["tags"][0]["text"] == "kitchen"
    entry = Library(place.folder / "library").entry(VIDEO_ID)
    assert entry is not None
    assert entry.duration_seconds == 30.0
    (video,) = place.store.videos(job_id)
    assert video.outcome.summary["tags"][0]["text"] == "kitchen"


def test_progress_changes_no_byte_of_the_results(place):
    records = []
    for spec in (watched(place), replace(spec_of(place), output=str(place.folder / "plain"))):
        job_id = submit(place.store, spec, place.videos(1)).job_id
        with place.worker() as worker:
            place.ended(worker, job_id)
        folder = next((place.folder / spec.output / "videos").iterdir())
        (generation,) = (path for path in folder.iterdir() if path.is_dir())
        records.append({path.name: path.read_bytes() for path in generation.glob("*.json")})
    assert records[0] == records[1]
    assert records[0]


def test_a_failed_video_says_why_and_is_retried(place):
    def refuse(asked):
        raise INVALID

    place.server.script.answers["video_analysis_stream"] = refuse
    job_id = submit(place.store, watched(place), place.videos(1)).job_id
    with place.worker() as worker:
        job = place.ended(worker, job_id)
        assert job.progress.failed == 1
        last = told(place)[-1]
        assert (last[0], last[1]["state"]) == ("state", "failed")
        assert "TOP_K" in last[1]["error"]
        place.server.script.answers["video_analysis_stream"] = lambda asked: parts()
        resume(place.store, job, failed=True)
        assert place.ended(worker, job_id).progress.done == 1
    assert told(place)[-1][0] == "done"


def test_a_model_that_is_away_costs_descriptions_alone(place):
    asked_for = []

    def describe_nothing(asked):
        asked_for.append([name.decode() for name in asked.inputs["FIND"]])
        if "description" in asked_for[-1]:
            raise Refused("INTERNAL", 500, "no backend answers")
        return whole()

    place.server.script.answers |= {
        "server_info": lambda asked: {**details(), "FINDINGS": bytes_of(["tags", "description"])},
        "video_analysis": describe_nothing,
    }
    job_id = submit(place.store, spec_of(place), place.videos(1)).job_id
    with place.worker() as worker:
        assert place.ended(worker, job_id).progress.done == 1
    assert ["description" in names for names in asked_for] == [True, True, False]


def test_a_video_removed_meanwhile_leaves_nothing(place):
    began, go_on = threading.Event(), threading.Event()

    def slow(asked):
        began.set()
        go_on.wait(30)
        yield from parts()

    place.server.script.answers["video_analysis_stream"] = slow
    job_id = submit(place.store, watched(place), place.videos(1)).job_id
    other = submit(place.store, spec_of(place, attempts=2), place.videos(2)[1:]).job_id
    with place.worker() as worker:
        while not began.wait(0.05):
            worker.tend()
        place.store.erase(job_id)
        go_on.set()
        place.ended(worker, other)
        while worker._runner._running:
            worker._stop.wait(0.05)
    library = Library(place.folder / "library")
    assert library.entry(VIDEO_ID) is None
    assert [number_of(asked) for asked in place.server.script.asked_of("video_analysis")] == [1]


def test_numbers_of_removed_events_do_not_return(place):
    log = EventLog(place.store.database)
    log.add([NewEvent(VIDEO_ID, "ann", "done", {})])
    first = log.newest()
    assert log.prune(before=1e12) == 1
    log.add([NewEvent(VIDEO_ID, "ann", "done", {})])
    assert log.newest() > first
