# SPDX-License-Identifier: Apache-2.0
"""A run of the benchmark of cuts: its raw numbers, and how it goes on with an unfinished file."""

from pathlib import Path

from benchmarks.scenes.__main__ import judge, matches_any, measure
from benchmarks.scenes.detectors import Found
from benchmarks.scenes.labelled import Labelled
from benchmarks.scenes.score import Event, Transition, Video

PTS = tuple(index * 0.04 for index in range(250))
CUT = Transition("cut", 4.0, 4.0)


def labelled(name):
    return Labelled(Path(f"{name}.mp4"), f"own/{name}", "own", Video((CUT,), PTS))


def detector(seen, *seconds):
    def detect(videos):
        for video in videos:
            seen.append(video.stem)
            yield Found(tuple(map(Event.at, seconds)), 0.5, ("cut",) * len(seconds))

    return detect


def test_the_raw_numbers_of_a_video():
    found = judge(labelled("a"), Found((Event.at(4.04), Event.at(7.0)), 0.25, ("cut", "cut")))
    assert found["scores"]["0 frames"] == {"cut": [0, 1, 2]}
    assert found["scores"]["1 frame"] == {"cut": [1, 0, 1]}
    assert found["errors_ms_and_half_frames"] == [[40.0, 2.0]]
    assert found["cpu_seconds"] == 0.25


def test_a_run_goes_on_with_what_its_file_lacks():
    videos, first, second = [labelled(name) for name in "abc"], [], []
    report = {"videos": {}}
    steps = measure(videos, {"first": detector(first, 4.0)}, report)
    next(steps)
    next(steps)
    both = {"first": detector(first, 4.0), "second": detector(second, 4.0, 7.0)}
    *_, report = measure(videos, both, report)
    assert (first, second) == (["a", "b", "c"], ["a", "b", "c"])
    assert {tuple(video["found"]) for video in report["videos"].values()} == {("first", "second")}


def test_detectors_are_chosen_by_patterns():
    names = ("EMA as published", "Trireel exact", "TransNetV2 alone")
    assert [name for name in names if matches_any(name, ["Tri*", "EMA*"])] == list(names[:2])
