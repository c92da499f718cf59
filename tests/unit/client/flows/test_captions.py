# SPDX-License-Identifier: Apache-2.0
"""Captions on screen as both clients yield them, also if the stream breaks."""

from fractions import Fraction

import numpy as np
import pytest
from unit.client.either import Either
from unit.client.loopback import Loopback
from unit.client.scripted import UNAVAILABLE, Refused
from unit.client.scripted_captions import (
    CLIP_FRAMES,
    CLIP_SPANS,
    CLIPS,
    SPANS,
    STAGES,
    TEXTS,
    captions_answer,
    captions_stream,
)

from trireel_client import (
    CaptionProgress,
    CaptionReport,
    CaptionStage,
    Clip,
    InvalidRequest,
    NotFound,
    ScreenCaption,
    ServerPath,
    ServerUnavailable,
    TrireelClient,
    UnexpectedAnswer,
    Unsupported,
)
from trireel_client._captions import bounding_stage

MODEL = "caption_extents"
VIDEO = ServerPath("a.mp4")


@pytest.fixture(params=[True, False], ids=["blocking", "async"])
def reading(grpc_only: Loopback, request) -> Either:
    """A server that reads one video's captions, asked by both clients in turn."""
    grpc_only.script.answers[MODEL] = lambda asked: captions_stream()
    return Either(grpc_only, request.param)


def of_kind(events: list, kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]


def changed(**tensors):
    """The stream, with tensors put into its last answer."""
    answers = list(captions_stream())
    answers[-1] = {**answers[-1], **tensors}
    return answers


def broken_after(count: int, error: Exception):
    for i, answer in enumerate(captions_stream()):
        if i == count:
            raise error
        yield answer


def test_events_come_as_they_become_certain(reading: Either) -> None:
    kinds = [type(event) for event in reading.all("captions")]
    assert kinds == [
        CaptionProgress,
        *(ScreenCaption, ScreenCaption, CaptionProgress),
        *(Clip, CaptionProgress),
        *(ScreenCaption, Clip, CaptionReport),
    ]


def test_a_caption_has_its_text_its_place_and_its_times(reading: Either) -> None:
    captions = of_kind(reading.all("captions"), ScreenCaption)
    assert [caption.text for caption in captions] == TEXTS
    assert [(caption.start_seconds, caption.end_seconds) for caption in captions] == SPANS
    first = captions[0]
    assert (first.confidence, first.box) == (0.9, (0.1, 0.8, 0.9, 0.9))
    assert (first.first_frame_seconds, first.last_frame_seconds) == (1.5, 3.21)
    assert (first.first_frame_pts, first.last_frame_pts) == (19_200, 41_088)


def test_a_clip_has_its_bytes_its_span_and_its_frames(reading: Either) -> None:
    clips = of_kind(reading.all("captions"), Clip)
    assert [clip.data for clip in clips] == CLIPS
    assert [(clip.start_seconds, clip.end_seconds) for clip in clips] == CLIP_SPANS
    assert [clip.num_frames for clip in clips] == CLIP_FRAMES


def test_progress_keeps_what_an_answer_leaves_out(reading: Either) -> None:
    begin, middle, same = of_kind(reading.all("captions"), CaptionProgress)
    assert [stage.count for stage in begin.stages] == [0, 0, 0, 0]
    assert (begin.duration_seconds, begin.position_seconds) == (10.0, None)
    assert same == middle
    assert (middle.position_seconds, middle.stages[0].count) == (5.0, 50)


def test_the_report_sums_it_up(reading: Either) -> None:
    report = reading.all("captions", stream_id="my video")[-1]
    assert isinstance(report, CaptionReport)
    assert (report.num_captions, report.num_clips, report.num_clip_frames) == (3, 2, 99)
    assert (report.start_seconds, report.duration_seconds) == (0.5, 10.0)
    assert report.time_base == Fraction(1, 12_800)
    assert report.region == (0.0, 0.75, 1.0, 0.25)
    assert report.picture_size_px == (640, 360)
    assert report.stream_id == "my video"
    assert report.is_complete
    encode = CaptionStage(name="encode", count=2, busy_ms=0.9, wait_ms=0.0, starved_ms=0.02)
    assert report.stages[-1] == encode


def test_options_become_tensors(reading: Either) -> None:
    reading.all(
        "captions",
        crop_px=[0, 10, 20, 30],
        sample_fps=0,
        with_clips=True,
        clip_codec="av1",
        clip_cpu_used=8,
        find_region=False,
    )
    (asked,) = reading.script.asked_of(MODEL)
    inputs = {name: array.tolist() for name, array in asked.inputs.items()}
    assert inputs == {
        "VIDEO": [b"a.mp4"],
        "CROP_PX": [0, 10, 20, 30],
        "SAMPLE_FPS": [0.0],
        "WITH_CLIPS": [True],
        "CLIP_CODEC": [b"av1"],
        "CLIP_CPU_USED": [8],
    }


def test_options_that_contradict_each_other_are_rejected(reading: Either) -> None:
    with pytest.raises(InvalidRequest, match="got both of crop and crop_px"):
        reading.all("captions", crop=(0, 0, 1, 1), crop_px=(0, 0, 9, 9))
    with pytest.raises(TypeError, match="there is no option 'fps'"):
        reading.all("captions", fps=3)
    assert reading.script.asked == []


def test_without_a_sampling_or_waits_there_is_still_a_report(reading: Either) -> None:
    left_out = ("STAGE_WAIT_MS", "STAGE_STARVED_MS", "PICTURE_SIZE_PX", "POSITION_SECONDS")
    answers = [
        {name: array for name, array in answer.items() if name not in left_out}
        for answer in captions_stream()
    ]
    reading.script.answers[MODEL] = lambda asked: iter(answers)
    report = reading.all("captions")[-1]
    assert report.picture_size_px is None
    assert {stage.wait_ms for stage in report.stages} == {None}


@pytest.mark.parametrize("given", [0, 1, 2, 3])
def test_a_broken_stream_goes_on_without_repeating(reading: Either, given: int) -> None:
    streams = iter([broken_after(given, UNAVAILABLE), captions_stream()])
    reading.script.answers[MODEL] = lambda asked: next(streams)
    events = reading.all("captions")
    assert [caption.text for caption in of_kind(events, ScreenCaption)] == TEXTS
    assert [clip.data for clip in of_kind(events, Clip)] == CLIPS
    assert len(of_kind(events, CaptionReport)) == 1
    assert len(reading.script.asked_of(MODEL)) == 2


def test_captions_that_do_not_come_again_are_an_error(reading: Either) -> None:
    others = [answer for i, answer in enumerate(captions_stream()) if i != 1]
    streams = iter([broken_after(2, UNAVAILABLE), iter(others)])
    reading.script.answers[MODEL] = lambda asked: next(streams)
    with pytest.raises(UnexpectedAnswer, match="'Hello there' did not come again"):
        reading.all("captions")


def test_a_stream_that_always_breaks_is_given_up(reading: Either) -> None:
    reading.script.answers[MODEL] = lambda asked: broken_after(0, UNAVAILABLE)
    with pytest.raises(ServerUnavailable, match="queue is full"):
        reading.all("captions")


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"TEXT_BOXES": np.zeros((2, 4), np.float32)}, r"TEXT_BOXES has shape \[2, 4\]"),
        ({"CLIP_INDICES": np.array([0, 1], np.int32)}, r"CLIP_INDICES has shape \[2\]"),
        ({"TEXT_SPANS": np.full((1, 2), np.nan)}, "TEXT_SPANS holds what is not a finite"),
        ({"STAGE_COUNTS": np.array([1])}, r"STAGE_COUNTS has shape \[1\]"),
        ({"TIME_BASE": np.array([0, 1])}, "TIME_BASE is 0/1"),
        ({"CLIP_NUM_FRAMES": np.array([7], np.int32)}, None),
    ],
)
def test_an_odd_answer_is_an_error(reading: Either, tensors, reason) -> None:
    reading.script.answers[MODEL] = lambda asked: iter(changed(**tensors))
    if reason is None:
        assert reading.all("captions")[-1].num_clip_frames == 57
        return
    with pytest.raises(UnexpectedAnswer, match=reason):
        reading.all("captions")


def test_a_stream_without_a_report_is_an_error(reading: Either) -> None:
    reading.script.answers[MODEL] = lambda asked: iter([captions_answer([0])])
    with pytest.raises(UnexpectedAnswer, match="ended before the report"):
        reading.all("captions")


def test_a_closed_iterator_cancels_the_request(reading: Either) -> None:
    def endless():
        yield captions_answer([0])
        reading.script.go_on.wait(10.0)

    reading.script.answers[MODEL] = lambda asked: endless()
    assert len(reading.some("captions", 1)) == 1
    assert reading.script.cancelled.wait(5.0)


def test_a_server_without_the_model_is_told_apart(reading: Either) -> None:
    reading.script.answers[MODEL] = _missing
    with pytest.raises(NotFound, match="unknown model"):
        reading.all("captions")


def _missing(asked):
    raise Refused("NOT_FOUND", 404, "unknown model 'caption_extents'")


def test_http_has_no_streams() -> None:
    with (
        TrireelClient("127.0.0.1:1", protocol="http") as client,
        pytest.raises(Unsupported, match="streaming needs gRPC"),
    ):
        client.captions(VIDEO)


def stage(name, busy, wait=None, starved=None):
    return CaptionStage(name=name, count=1, busy_ms=busy, wait_ms=wait, starved_ms=starved)


@pytest.mark.parametrize(
    ("stages", "bounding"),
    [
        ([stage("extract", 100, 850, 0), stage("encode", 950, 0, 50)], "encode"),
        # Two encoders side by side are busy for longer than the stage that bounds them.
        ([stage("read", 950, 0, 10), stage("encode", 1200, 0, 400)], "read"),
        ([stage("extract", 100), stage("read", 300), stage("encode", 200)], "read"),
        ([stage("extract", 990, 0, 0), stage("encode", 0, 0, 0)], "extract"),
        # A stage that is over soon has not kept the others waiting.
        ([stage("fetch", 90, 0, 0), stage("read", 600, 0, 300), stage("total", 1000)], "read"),
        ([stage("extract", 0)], None),
        ([], None),
    ],
)
def test_the_stage_that_waits_least_bounds_the_rest(stages, bounding) -> None:
    found = bounding_stage(stages, wall_ms=1000.0)
    assert (found and found.name) == bounding


def test_the_names_of_the_stages_are_the_servers(reading: Either) -> None:
    report = reading.all("captions")[-1]
    assert tuple(stage.name for stage in report.stages) == STAGES
