# SPDX-License-Identifier: Apache-2.0
"""Labelled folders in three layouts, TransNetV2's windows, and the sums of the results."""

import json

import numpy as np
import pytest
from support.videos import numbered_frame, write_video

from benchmarks.scenes.headlines import headlines
from benchmarks.scenes.labelled import LabelsUnusable, read_folder
from benchmarks.scenes.score import Transition
from benchmarks.scenes.table import page
from benchmarks.scenes.totals import sets
from benchmarks.scenes.transnet import WINDOW, events_of, windows

PTS_MS = [0, 40, 80, 200, 240, 300, 340, 380]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    return write_video(path, [numbered_frame(number) for number in range(8)], PTS_MS)


def place(video, *parts):
    target = video.parent.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(video.read_bytes())
    return target


def test_bbc_scenes_become_pts(video):
    place(video, "BBC", "videos", "bbc_01.mp4")
    labels = video.parent / "BBC/fixed/01-scenes.txt"
    labels.parent.mkdir()
    labels.write_text("0\t2\n3\t4\n7\t7\n")
    (found,) = read_folder(video.parent / "BBC")
    cut, gap = found.truth.transitions
    assert (cut.kind, cut.begin_seconds) == ("cut", 0.2)
    assert (gap.kind, gap.begin_seconds, gap.end_seconds) == ("dissolve", 0.3, 0.38)
    assert found.vfr
    assert found.name == "BBC/bbc_01"


def test_clipshots_transitions_become_pts(video):
    place(video, "ClipShots", "videos", "x.mp4")
    labels = video.parent / "ClipShots/annotations/test.json"
    labels.parent.mkdir()
    transitions = {"transitions": [[1, 2], [3, 6]], "frame_num": 8}
    labels.write_text(json.dumps({"x.mp4": transitions, "absent.mp4": transitions}))
    (found,) = read_folder(video.parent / "ClipShots")
    assert found.group == "ClipShots test"
    assert found.truth.transitions == (
        Transition("cut", 0.08, 0.08),
        Transition("dissolve", 0.24, 0.34),
    )


def test_ones_own_labels_are_seconds(video):
    path = place(video, "own", "holiday.mp4")
    path.with_suffix(".json").write_text(json.dumps({"cuts": [0.2]}))
    (found,) = read_folder(video.parent / "own")
    assert found.truth.transitions == (Transition("cut", 0.2, 0.2),)
    assert found.truth.pts_seconds == tuple(ms / 1000 for ms in PTS_MS)


def test_a_folder_without_labels_says_which_layouts_there_are(tmp_path):
    with pytest.raises(LabelsUnusable, match="BBC Planet Earth"):
        read_folder(tmp_path)


def test_labels_beyond_the_video_are_rejected(video):
    place(video, "long", "videos", "bbc_02.mp4")
    labels = video.parent / "long/fixed/02-scenes.txt"
    labels.parent.mkdir()
    labels.write_text("0\t2\n30\t40\n")
    with pytest.raises(LabelsUnusable, match="it has 8 frames"):
        read_folder(video.parent / "long")


@pytest.mark.parametrize("number", [1, 49, 50, 51, 100, 120])
def test_the_middles_of_the_windows_are_all_frames_in_order(number):
    frames = np.arange(number, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    found = list(windows(frames))
    assert {len(window) for window in found} == {WINDOW}
    middles = np.concatenate([window[25:75, 0, 0, 0] for window in found])
    assert middles[:number].tolist() == list(range(number))
    assert set(middles[number:].tolist()) <= {number - 1}


def test_an_event_is_the_frame_after_the_peak_of_its_run():
    pts = [index * 0.04 for index in range(10)]
    scores = np.array([0, 0, 0.6, 0.9, 0.7, 0, 0, 0, 0.8, 0.9], np.float32)
    (event,) = events_of(scores, pts)
    assert (event.seconds, event.begin_seconds, event.end_seconds) == (pts[4], pts[2], pts[5])


def found(hits, missed, false, cpu, errors=(), events=1):
    scores = {name: {"cut": [hits, missed, false]} for name in ("0 frames", "1 frame", "0.5 s")}
    return {
        "scores": scores,
        "cpu_seconds": cpu,
        "errors_ms_and_half_frames": [list(error) for error in errors],
        "events": [[0, 0, 0]] * events,
        "kinds": [],
    }


def report():
    exact, refined = "Trireel exact", "Trireel refined"
    edit = {"group": "vfr", "minutes": 0.5, "frames": 700, "vfr": True, "transitions": {"cut": 10}}
    quiet = edit | {"group": "quiet", "minutes": 5.0, "transitions": {}}
    edit["found"] = {
        "EMA as published": found(5, 5, 5, 1.0),
        "TransNetV2 alone": found(9, 1, 1, 5.0),
        refined: found(9, 1, 0, 2.0),
        exact: found(10, 0, 0, 3.0, [(0.0, 0.0), (12.0, 0.9)]),
    }
    quiet["found"] = {name: found(0, 0, 0, 9.0, events=0) for name in edit["found"]}
    quiet["found"][exact] = found(0, 0, 1, 9.0)
    machine = {"cores": ["P"] * 2, "commit": "abc"}
    return {"machine": machine, "videos": {"real/a": edit, "real/b": quiet}}


def test_quiet_videos_count_only_as_false_events():
    (real,) = sets(report())
    assert real.counts("Trireel exact").f1 == 1.0
    assert real.false_in_ten_minutes("Trireel exact") == 2.0
    assert real.cpu_seconds_a_minute("Trireel refined") == 4.0


def test_the_headlines_judge_both_modes():
    (run,) = headlines({"results.json": report()})
    met = {one.what: one.met for one in run.headlines if one.met is not None}
    assert met == {
        "exact: F1 of all transitions": True,
        "exact: F1 of cuts": True,
        "exact: F1 beside the best other": True,
        "exact: the largest error of a cut in a video of an uneven rate": True,
        "exact: false events in 10 minutes without cuts": False,
        "refined: F1 of all transitions": True,
        "refined: cost": False,
    }


def test_the_page_has_a_row_for_each_detector():
    text = page({"results.json": report()})
    assert "1 videos, 0 minutes, 10 cuts" in text
    assert "| Trireel exact | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 6.00 |" in text
    assert "| TransNetV2 alone | 0.900 |" in text
