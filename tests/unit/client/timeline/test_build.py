# SPDX-License-Identifier: Apache-2.0
"""From an analysis to exact times: fractions recovered from floats, and checked."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.client.timeline.made import NTSC_30, analysis_of, cut_at, ntsc

from trireel_client import InvalidRequest, UnexpectedAnswer
from trireel_client._timeline.build import Media, exact_seconds, timeline_of

MEDIA = Media("a.mp4", "file:///a.mp4")
TIME_BASES = [Fraction(1, 90000), Fraction(1, 12800), Fraction(1001, 30000), Fraction(1, 10**9)]


@settings(deadline=None)
@given(tick=st.integers(-(10**10), 10**10), time_base=st.sampled_from(TIME_BASES))
def test_the_fraction_of_a_float_is_recovered(tick, time_base):
    exact = tick * time_base
    if abs(exact) < 10**5:  # a day and more
        assert exact_seconds(float(exact), time_base) == exact


def test_a_time_that_is_no_pts_is_reported():
    with pytest.raises(UnexpectedAnswer, match=r"scene at 0\.05 s, which is no PTS"):
        exact_seconds(0.05, Fraction(1, 25))
    analysis = analysis_of([0, 30, 60], time_base=Fraction(1, 25))
    first, second = analysis.shots
    moved = (replace(first, end_seconds=1.21), replace(second, start_seconds=1.21))
    with pytest.raises(UnexpectedAnswer, match="no PTS"):
        timeline_of(replace(analysis, shots=moved), MEDIA)


def test_times_count_from_the_first_frame():
    ticks = [0, 90000, 3 * 90000 + 1]
    time_base = Fraction(1, 90000)
    shifted = analysis_of(ticks, time_base=time_base, start_ticks=8_000_000_019)
    scenes = timeline_of(shifted, MEDIA).scenes
    assert [scene.start for scene in scenes] == [0, 1]
    assert scenes[-1].end == 3 + time_base


def test_the_last_chunks_end_need_not_be_a_pts():
    first, last = ntsc([0, 30, 90]).shots
    shorter = (first, replace(last, end_seconds=3.00001))
    assert timeline_of(replace(ntsc([0, 30, 90]), shots=shorter), MEDIA).end == 3


def test_the_videos_end_need_not_be_a_pts():
    analysis = analysis_of([0, 25, 50], time_base=Fraction(1, 25))
    first, last = analysis.shots
    longer = replace(
        analysis, duration_seconds=2.013, shots=(first, replace(last, end_seconds=2.013))
    )
    assert timeline_of(longer, MEDIA).end == 2


def test_scenes_that_do_not_join_are_reported():
    analysis = analysis_of([0, 25, 50, 75], time_base=Fraction(1, 25))
    first, _, last = analysis.shots
    with pytest.raises(UnexpectedAnswer, match=r"ends at 1\.0 s, and the next begins at 2\.0 s"):
        timeline_of(replace(analysis, shots=(first, last)), MEDIA)
    empty = replace(first, end_seconds=0.0)
    with pytest.raises(UnexpectedAnswer, match="empty scene"):
        timeline_of(replace(analysis, shots=(empty,)), MEDIA)


def test_scenes_of_an_older_server_lie_between_its_cuts():
    analysis = replace(ntsc([0, 30, 90]), shots=())
    scenes = timeline_of(analysis, MEDIA).scenes
    assert [(s.start, s.end) for s in scenes] == [(0, 30 / NTSC_30), (30 / NTSC_30, 90 / NTSC_30)]
    assert [s.title for s in scenes] == ["Scene 1", "Scene 2"]


def test_without_scenes_there_is_no_timeline():
    analysis = ntsc([0, 30, 90])
    chunks = tuple(replace(chunk, scene_trace=()) for chunk in analysis.chunks)
    with pytest.raises(InvalidRequest, match="request the finding scenes"):
        timeline_of(replace(analysis, shots=(), chunks=chunks), MEDIA)


def test_titles_are_captions_or_tags_or_numbers():
    tags = [("a", "b", "c", "d"), (), ()]
    scenes = timeline_of(ntsc([0, 1, 2, 3], tags=tags), MEDIA).scenes
    assert [scene.title for scene in scenes] == ["a, b, c", "Scene 2", "Scene 3"]
    scenes = timeline_of(ntsc([0, 1, 2], tags=tags[:2], captions=["x\ty", "\n"]), MEDIA).scenes
    assert [scene.title for scene in scenes] == ["x y", "Scene 2"]


def test_a_scene_knows_its_transition():
    analysis = ntsc([0, 30, 90])
    (cut,) = analysis.scene_changes
    faded = replace(analysis, scene_changes=(cut_at(cut.timestamp_seconds, "fade"),))
    assert [scene.kind for scene in timeline_of(faded, MEDIA).scenes] == ["", "fade"]


@pytest.mark.parametrize(
    ("video", "media"),
    [
        ("s3://bucket/a b.mp4", Media("a b.mp4", "s3://bucket/a%20b.mp4")),
        ("https://u:pw@h:8/a%20b.mp4?sig=x#t", Media("a b.mp4", "https://h:8/a%20b.mp4")),
        ("/m/é#1.mp4", Media("é#1.mp4", "file:///m/%C3%A9%231.mp4")),
        ("/m/caf\udce9.mp4", Media("caf?.mp4", "file:///m/caf%E9.mp4")),
    ],
)
def test_media_by_path_or_uri(video, media):
    assert Media.of(video) == media


def test_media_on_the_server_keep_their_path():
    assert Media.of("clips/a b.mp4", on_server=True) == Media("a b.mp4", "clips/a%20b.mp4")
