# SPDX-License-Identifier: Apache-2.0
"""The verdict of a soak, its page, and the comparison of answers."""

import copy
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from tritonclient.utils import InferenceServerException

from benchmarks.soak.__main__ import thinned
from benchmarks.soak.asks import OPTIONS, WAYS, Seen, difference, make_asks
from benchmarks.soak.faults import is_full
from benchmarks.soak.place import status_of
from benchmarks.soak.table import page
from benchmarks.soak.tally import Tally
from benchmarks.soak.verdict import checks
from trireel_backend.launch.flags import SHM_GROWTH_BYTES
from trireel_client import Caption, ChunkAnalysis, NotFound, SceneChange, SequenceLost, Tag

MIB = 2**20
BURSTS = "requests of bursts are answered, rejected by the full server, or lost with a decoder"


def sample(seconds, mib=100.0):
    return {
        "seconds": seconds,
        "pss_mib": {"decoder": mib, "tritonserver": mib},
        "threads": {"decoder": 4, "tritonserver": 60},
        "processes": {"decoder": 2, "tritonserver": 1},
        "open_files": {"decoder: others": 8, "decoder: videos": 5, "tritonserver: socket": 3},
        "shm_regions": 9,
        "shm_bytes": 100 * MIB,
        "spool": {"video": 3, "uri json": 3, "bytes": 3 * MIB},
        "other_files": 50,
        "client_threads": 3,
        "trireel_live_sequences": 0.0,
        "trireel_open_videos": 0.0,
    }


def loaded(seconds, mib=150.0):
    return sample(seconds, mib) | {"good_per_second": 12.5, "p50_ms": 300.0, "p99_ms": 900.0}


@pytest.fixture
def report():
    tally = Tally()
    tally.answered("grpc", 20.0)
    tally.fault("no video", "INVALID_ARGUMENT")
    tally.burst("OK")
    tally.burst("FULL")
    tally.nuisance("stopped")
    tally.casualty("stopped", "one")
    return {
        "machine": {"cores": ["CPU", "CPU"], "commit": "abc"},
        "plan": {"seconds": 1620.0, "warm_up_seconds": 180.0, "idle_seconds": 20.0, "seed": 1,
                 "mix": {"good": 10, "faults": 4}, "asks": 90, "clips": ["a.mp4"],
                 "sources": ["path"]},
        "spool_max_bytes": 16 * MIB,
        "before": sample(0.0),
        "samples": [loaded(5.0 * index) for index in range(30)],
        "after": sample(200.0),
        "tally": tally.report(),
        "first_processes": [1, 2, 3],
        "last_processes": [1, 2, 3],
        "log_errors": [],
        "left": {"processes": 0, "shared memory": 0, "temporary files": 0},
    }  # fmt: skip


def failed(report):
    return [check.name for check in checks(report) if not check.passed]


def test_a_server_that_is_what_it_was_passes(report):
    assert failed(report) == []


def grown(**changes):
    def change(report):
        for name, value in changes.items():
            before = report["after"][name]
            report["after"][name] = before | value if isinstance(value, dict) else value

    return change


def under_load(kind, mib):
    def change(report):
        for one in report["samples"][-10:]:
            one["pss_mib"][kind] += mib

    return change


LEAKS = {
    "memory at rest: all but the decoders": grown(pss_mib={"tritonserver": 121.1}),
    "memory at rest: the decoders": grown(pss_mib={"decoder": 238.1}),
    "memory under load, the first and the last fifth: all but the decoders": under_load(
        "tritonserver", 23.6
    ),
    "memory under load, the first and the last fifth: the decoders": under_load("decoder", 143.1),
    "shared memory": grown(shm_bytes=100 * MIB + 5 * SHM_GROWTH_BYTES),
    "open files": grown(open_files={"tritonserver: socket": 6}),
    "no removed file is held open": grown(open_files={"decoder: removed videos": 1}),
    "threads": grown(threads={"tritonserver": 63}),
    "threads of the clients": grown(client_threads=4),
    "files outside the spool": grown(other_files=51),
    "the spool holds only whole videos, each with its record, within its limit": grown(
        spool={"upload": 1}
    ),
    "no sequence and no video is open": grown(trireel_open_videos=1.0),
    "processes": grown(processes={"decoder": 3}),
    "the processes of the server and its models are the same as at the start": lambda report: (
        report.update(last_processes=[1, 2])
    ),
    "nothing is left after the stop": lambda report: report["left"].update({"shared memory": 1}),
    "nothing unexpected in the log": lambda report: report["log_errors"].append("E1"),
    "every good request is answered as on an idle server, every fault with its status": (
        lambda report: report["tally"].update(wrong_count=1)
    ),
    "no more requests lost than decoders killed or stopped": (
        lambda report: report["tally"]["casualties"].update(killed=["two"])
    ),
    BURSTS: lambda report: report["tally"]["bursts"].update(INTERNAL=1),
}


@pytest.mark.parametrize("name", LEAKS)
def test_each_check_fails_by_itself(report, name):
    LEAKS[name](report)
    assert failed(report) == [name]


def test_a_request_of_a_burst_that_a_decoder_took_along_is_judged_with_the_others(report):
    report["tally"]["nuisances"]["stopped"] = 1
    report["tally"]["casualties"]["stopped"] = [
        "burst: INVALID_ARGUMENT: the frames were not there"
    ]
    report["tally"]["bursts"]["INVALID_ARGUMENT"] = 1
    assert failed(report) == []
    report["tally"]["bursts"]["INVALID_ARGUMENT"] = 2
    assert len(failed(report)) == 1


def test_decoders_begun_anew_do_not_hide_what_grows_beside_them(report):
    report["after"]["pss_mib"].update(decoder=50.0, tritonserver=130.0)
    assert failed(report) == ["memory at rest: all but the decoders"]


def test_shared_memory_that_grew_is_not_counted_twice(report):
    report["after"]["pss_mib"]["tritonserver"] = 120.0 + 16.0
    assert failed(report) == ["memory at rest: all but the decoders"]
    report["after"]["shm_bytes"] += SHM_GROWTH_BYTES
    assert failed(report) == []
    (check,) = (one for one in checks(report) if one.name == "memory at rest: all but the decoders")
    assert check.found == "100 MiB, then 136: +36, 37 allowed"


def test_shared_memory_that_shrank_takes_nothing_away(report):
    report["after"]["pss_mib"]["tritonserver"] = 120.0
    report["after"]["shm_bytes"] -= SHM_GROWTH_BYTES
    assert failed(report) == []


def test_bursts_that_never_filled_the_server_fail(report):
    report["tally"]["bursts"] = {"OK": 200}
    assert failed(report) == [BURSTS]


def test_where_no_burst_was_nothing_is_asked_of_it(report):
    report["tally"]["bursts"] = {}
    assert failed(report) == []


def test_requests_that_a_decoder_took_along_are_told_beside_the_answers(report):
    assert checks(report)[0].found.endswith(
        "0 not as expected, 1 lost with a decoder that was killed or stopped"
    )


@pytest.mark.parametrize(
    ("message", "is_one"),
    [
        ("[request id: 7] the server is full: 4 whole videos are under way", True),
        ("the server at 127.0.0.1:8001 is full: its queue is full; retry in a while", True),
        ("the server at 127.0.0.1:8001 is not available: no reason given", False),
    ],
)
def test_a_full_server_is_known_by_its_words(message, is_one):
    assert is_full(message) == is_one


def test_every_check_has_been_seen_to_fail(report):
    assert {check.name for check in checks(report)} == set(LEAKS)


@pytest.mark.parametrize(
    "spool",
    [
        {"video": 4, "uri json": 3},
        {"video": 3, "uri json": 4},
        {"bytes": 16 * MIB + 1},
        {"part": 1},
        {"uri lock": 1},
    ],
)
def test_a_spool_with_something_left_over_fails(report, spool):
    report["after"]["spool"].update(spool)
    assert failed(report) == [
        "the spool holds only whole videos, each with its record, within its limit"
    ]


def test_how_many_videos_a_decoder_keeps_open_is_its_own_affair(report):
    report["after"]["open_files"]["decoder: videos"] = 50
    assert failed(report) == []


def test_pools_of_the_models_may_be_filled(report):
    for one in (report["before"], report["after"]):
        one["open_files"]["video_analysis: socket"] = 4
        one["threads"]["video_analysis"] = 4
    report["after"]["open_files"]["video_analysis: socket"] = 8
    report["after"]["threads"]["video_analysis"] = 8
    assert failed(report) == []
    report["after"]["threads"]["video_analysis"] = 9
    report["after"]["open_files"]["video_analysis: others"] = 1
    assert failed(report) == ["open files", "threads"]


def test_fewer_of_something_is_no_leak(report):
    report["after"]["open_files"]["tritonserver: socket"] -= 1
    report["after"]["threads"]["tritonserver"] -= 1
    assert failed(report) == []


def test_gauges_that_could_not_be_read_fail(report):
    del report["after"]["trireel_open_videos"]
    assert failed(report) == ["no sequence and no video is open"]


def test_nothing_answered_fails(report):
    report["tally"]["good"] = {}
    assert len(failed(report)) == 1


def test_the_page_shows_verdict_and_course(report):
    lines = page({"results.json": report}).splitlines()
    assert lines[0] == "# Half an hour of everything"
    assert "**19 checks, none failed.**" in lines[2]
    assert "`python -m benchmarks.soak --minutes 30 --output" in page({"results.json": report})
    rows = [line for line in lines if "| 12.5 | 300 | 900 | 300 |" in line]
    assert len(rows) == 12
    assert (
        sum(line.startswith("| at rest |  |  |  | 200 | 100 | 16 | 64 | 3 | 3.0") for line in lines)
        == 2
    )
    assert "| decoder | 2 | 100 | 100 | 4 -> 4 | 13 -> 13 |" in lines
    assert "| no video | 1 INVALID_ARGUMENT |" in lines


def test_the_page_names_what_failed(report):
    report["left"]["processes"] = 2
    report["tally"]["wrong"].append("the words")
    text = page({"results.json": report})
    assert "**19 checks, 1 failed.**" in text
    assert "| nothing is left after the stop | **failed** | processes 2," in text
    assert "- the words" in text


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (1, 1), (400, 400), (401, 201), (4000, 400)])
def test_samples_are_thinned_evenly_and_end_with_the_last(count, kept):
    samples = list(range(count))
    found = thinned(samples)
    assert len(found) == kept
    assert found[-1:] == samples[-1:]
    assert len({b - a for a, b in pairwise(found)}) <= 1


def chunk(**changes):
    made = ChunkAnalysis(
        index=0,
        start_seconds=0.0,
        duration_seconds=10.0,
        tags=(Tag("gym", 0.5, 0.9), Tag("kitchen", 0.499999, 0.9)),
        caption=Caption("A person lifting weights", 0.6, 0.9),
        scene_changes=(
            SceneChange(
                timestamp_seconds=3.0,
                score=0.4,
                chunk_index=0,
                frame_index=1,
                begin_seconds=3.0,
                end_seconds=3.0,
            ),
        ),
        frame_timestamps_seconds=(0.0, 3.0),
        frame_pts=(0, 75),
        time_base=Fraction(1, 25),
        scene_trace=(0.0, 0.4),
        damaged_packets=0,
        num_chunks=1,
    )
    return replace(made, **changes)


def seen(*chunks, **changes):
    one = chunks[0] if chunks else chunk()
    return replace(Seen(one.tags, one.caption, chunks or (one,)), **changes)


def test_what_a_batch_changes_is_no_other_answer():
    swapped = (Tag("kitchen", 0.500001, 0.9), Tag("gym", 0.499998, 0.9))
    near = chunk(tags=swapped, caption=Caption("A person lifting weights", 0.600009, 0.9))
    assert difference(seen(), seen(near)) == ""


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (seen(chunk(), chunk()), "2 chunks, not 1"),
        (seen(tags=(Tag("gym", 0.5, 0.9),)), "video: other tags"),
        (seen(caption=Caption("Someone", 0.6, 0.9)), "video: other caption"),
        (seen(chunk(), tags=(Tag("gym", 0.50002, 0.9), chunk().tags[1])), "video: other tags"),
        (replace(seen(), chunks=(chunk(tags=()),)), "chunk 0: other tags"),
        (replace(seen(), chunks=(chunk(frame_pts=(0, 76)),)), "chunk 0: other frames"),
        (replace(seen(), chunks=(chunk(scene_changes=()),)), "chunk 0: other cuts"),
        (replace(seen(), chunks=(chunk(scene_trace=(0.0, 0.41)),)), "chunk 0: other scene scores"),
    ],
)
def test_another_answer_is_told(other, words):
    assert difference(seen(), other) == words


def test_a_seed_asks_the_same_of_every_clip_in_every_way():
    asks = make_asks(["a.mp4", "b.mkv"], ("path", "bytes", "http"), 3)
    assert asks == make_asks(["a.mp4", "b.mkv"], ("path", "bytes", "http"), 3)
    assert {(ask.clip, ask.way) for ask in asks} == {
        (c, w) for c in ("a.mp4", "b.mkv") for w in WAYS
    }
    many = make_asks(map(str, range(30)), ("path", "bytes", "http"), 3)
    assert {ask.option for ask in many} == set(range(len(OPTIONS)))
    assert {ask.source for ask in many} == {"path", "bytes", "http"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("x"), "NOT_FOUND"),
        (SequenceLost("x"), "UNAVAILABLE"),
        (InferenceServerException("x", "StatusCode.INVALID_ARGUMENT"), "INVALID_ARGUMENT"),
        (KeyError("x"), "KeyError"),
    ],
)
def test_errors_are_known_by_their_status(error, status):
    assert status_of(error) == status


def test_the_report_of_a_tally_is_its_own(report):
    tally = Tally()
    tally.wrong("x" * 1000)
    first = tally.report()
    before = copy.deepcopy(first)
    for _ in range(100):
        tally.wrong("y")
    assert first == before
    assert tally.report()["wrong_count"] == 101
    assert len(tally.report()["wrong"]) == 40
    assert len(first["wrong"][0]) == 500
