# SPDX-License-Identifier: Apache-2.0
"""Every export, read back by the readers of other projects, with equal times."""

import csv
import html
import io
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import opentimelineio as otio
import pytest
import srt
import webvtt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from unit.client.timeline.made import NTSC_30, NTSC_60, ODD_NAMES, analysis_of, ntsc

from trireel_client import Analysis, Unsupported
from trireel_client._timeline.build import Media, one_line, timeline_of
from trireel_client._timeline.formats import FORMATS, exported

FRAMES = [0, 151, 1799, 1800, 107892]
VFR_TICKS = [0, 70003, 412999, 900000]
VFR = analysis_of(VFR_TICKS, time_base=Fraction(1, 90000), rate=Fraction(25000, 941), is_vfr=True)
ODD = ntsc([0, 30, 60, 90, 120, 150], captions=ODD_NAMES, tags=[(name,) for name in ODD_NAMES])

# Made by write_scene_list of scenedetect 0.7.2 from the same PTS, time bases and rates.
NTSC_LIST = """\
Timecode List:,00:00:05.038,00:01:00.027,01:00:03.600
Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,End Time (seconds),Length (frames),Length (timecode),Length (seconds)
1,1,00:00:00.000,0.000,151,00:00:05.038,5.038,151,00:00:05.038,5.038
2,152,00:00:05.038,5.038,1799,00:01:00.027,60.027,1648,00:00:54.988,54.988
3,1800,00:01:00.027,60.027,108000,01:00:03.600,3603.600,106201,00:59:03.573,3543.573
4,108001,01:00:03.600,3603.600,200000,01:51:13.333,6673.333,92000,00:51:09.733,3069.733
"""  # noqa: E501
VFR_LIST = """\
Timecode List:,00:00:00.778,00:00:04.589
Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,End Time (seconds),Length (frames),Length (timecode),Length (seconds)
1,1,00:00:00.000,0.000,21,00:00:00.778,0.778,21,00:00:00.778,0.778
2,22,00:00:00.778,0.778,122,00:00:04.589,4.589,101,00:00:03.811,3.811
3,123,00:00:04.589,4.589,266,00:00:10.000,10.000,144,00:00:05.411,5.411
"""  # noqa: E501


def export(analysis: Analysis, suffix: str, *, drop_frame: bool = True) -> str:
    timeline = timeline_of(analysis, Media.of("/media/holiday.mp4"))
    return exported(timeline, suffix, drop_frame=drop_frame).decode()


def ms(seconds: Fraction) -> Fraction:
    return Fraction(int(seconds * 1000 + Fraction(1, 2)), 1000)


def clips_of(timeline) -> list:
    return list(timeline.find_clips())


def test_webvtt_has_a_chapter_for_each_scene():
    captions = webvtt.from_string(export(ntsc(FRAMES), ".vtt"))
    spans = [(_clock(caption.start), _clock(caption.end)) for caption in captions]
    times = [ms(frame / NTSC_30) for frame in FRAMES]
    assert spans == list(pairwise(times))
    assert [caption.text for caption in captions] == ["Scene 1", "Scene 2", "Scene 3", "Scene 4"]


def _clock(text: str) -> Fraction:
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)


def test_srt_has_a_subtitle_for_each_scene():
    subtitles = list(srt.parse(export(ntsc(FRAMES), ".srt"), ignore_errors=False))
    times = [ms(frame / NTSC_30) for frame in FRAMES]
    assert [Fraction(str(s.start.total_seconds())) for s in subtitles] == times[:-1]
    assert [Fraction(str(s.end.total_seconds())) for s in subtitles] == times[1:]


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [(ntsc([0, 151, 1799, 108000, 200000]), NTSC_LIST), (VFR, VFR_LIST)],
)
def test_csv_equals_that_of_pyscenedetect(analysis, expected):
    assert export(analysis, ".csv") == expected


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(50), NTSC_30, NTSC_60])
@pytest.mark.parametrize("drop_frame", [True, False])
def test_edl_is_read_by_opentimelineio(rate, drop_frame):
    text = export(ntsc(FRAMES, rate), ".edl", drop_frame=drop_frame)
    mode = "DROP FRAME" if drop_frame and rate in (NTSC_30, NTSC_60) else "NON-DROP FRAME"
    assert text.splitlines()[:2] == ["TITLE: holiday.mp4", f"FCM: {mode}"]
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
    clips = clips_of(timeline)
    assert [clip.source_range.start_time.value for clip in clips] == FRAMES[:-1]
    assert [clip.source_range.end_time_exclusive().value for clip in clips] == FRAMES[1:]
    assert [clip.range_in_parent().start_time.value for clip in clips] == FRAMES[:-1]
    assert {clip.name for clip in clips} == {"holiday.mp4"}


@pytest.mark.parametrize(
    ("rate", "is_vfr", "comment"),
    [
        (NTSC_30, False, "FRAME RATE 29.97 FPS"),
        (Fraction(15), False, "CONFORMED TO 30 FPS FROM 15 FPS"),
        (
            Fraction(25000, 941),
            True,
            "CONFORMED TO 25 FPS FROM A VARIABLE FRAME RATE OF 26.567 FPS ON AVERAGE",
        ),
    ],
)
def test_edl_states_the_rate_it_was_conformed_to(rate, is_vfr, comment):
    ticks = [0, 90000 * 3, 90000 * 10]
    analysis = analysis_of(ticks, time_base=Fraction(1, 90000), rate=rate, is_vfr=is_vfr)
    text = export(analysis, ".edl")
    assert text.count(f"* COMMENT: {comment}\n") == 1
    fps = float(Fraction(comment.split(" FPS")[0].split()[-1])) if rate != NTSC_30 else NTSC_30
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(fps))
    assert timeline.duration().to_seconds() == pytest.approx(10, abs=0.5 / float(fps))


def test_edl_leaves_out_a_scene_without_a_frame():
    ticks = [0, 90000, 90000 + 900, 180000]
    analysis = analysis_of(ticks, time_base=Fraction(1, 90000), rate=Fraction(26), is_vfr=True)
    timeline = otio.adapters.read_from_string(export(analysis, ".edl"), "cmx_3600", rate=25)
    assert [clip.duration().value for clip in clips_of(timeline)] == [25, 25]


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(50), Fraction(60)])
def test_fcpxml_is_read_by_opentimelineio(rate):
    frames = [0, 128, 640, 1024, 4096]  # the adapter multiplies floats and cuts off
    collection = otio.adapters.read_from_string(export(ntsc(frames, rate), ".fcpxml"), "fcpx_xml")
    clips = clips_of(collection[0])
    assert [clip.source_range.start_time.value for clip in clips] == frames[:-1]
    assert [clip.source_range.duration.value for clip in clips] == [128, 512, 384, 3072]
    assert [clip.name for clip in clips] == ["Scene 1", "Scene 2", "Scene 3", "Scene 4"]


@pytest.mark.parametrize(
    ("analysis", "bounds", "frame", "tc_format"),
    [
        (ntsc(FRAMES), [f / NTSC_30 for f in FRAMES], "1001/30000s", "DF"),
        (ntsc(FRAMES, NTSC_60), [f / NTSC_60 for f in FRAMES], "1001/60000s", "DF"),
        (VFR, [Fraction(t, 90000) for t in VFR_TICKS], "1/25s", "NDF"),
    ],
)
def test_fcpxml_times_are_exact_fractions(analysis, bounds, frame, tc_format):
    root = ET.fromstring(export(analysis, ".fcpxml"))
    assert (root.tag, root.get("version")) == ("fcpxml", "1.10")
    assert root.find("resources/format").get("frameDuration") == frame
    sequence = root.find("event/project/sequence")
    assert sequence.get("tcFormat") == tc_format
    clips = sequence.findall("spine/asset-clip")
    assert [_seconds(clip.get("offset")) for clip in clips] == bounds[:-1]
    assert [_seconds(clip.get("start")) for clip in clips] == bounds[:-1]
    ends = [_seconds(clip.get("start")) + _seconds(clip.get("duration")) for clip in clips]
    assert ends == bounds[1:]
    assert _seconds(sequence.get("duration")) == bounds[-1]
    assert root.find("resources/asset/media-rep").get("src") == "file:///media/holiday.mp4"


def _seconds(text: str) -> Fraction:
    assert text.endswith("s")
    return Fraction(text[:-1])


@pytest.mark.parametrize(
    ("analysis", "rate", "values"),
    [
        (ntsc(FRAMES), float(NTSC_30), FRAMES),
        (ntsc(FRAMES, Fraction(25)), 25.0, FRAMES),
        (VFR, 90000.0, VFR_TICKS),
    ],
)
def test_otio_is_read_by_opentimelineio(analysis, rate, values):
    timeline = otio.adapters.read_from_string(export(analysis, ".otio"), "otio_json")
    clips = clips_of(timeline)
    for clip, begin, end in zip(clips, values, values[1:], strict=False):
        span = clip.source_range
        assert (span.start_time.value, span.start_time.rate) == (begin, rate)
        assert span.end_time_exclusive().value == end
        assert clip.range_in_parent().start_time.value == begin
        assert clip.media_reference.available_range.duration.value == values[-1]
        assert clip.media_reference.target_url == "file:///media/holiday.mp4"
    exact = [Fraction(clip.metadata["trireel"]["end_seconds"]) for clip in clips]
    shots = analysis.shots
    assert [float(seconds) for seconds in exact] == [shot.end_seconds for shot in shots]


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_the_same_timeline_gives_the_same_bytes(suffix):
    assert export(ODD, suffix) == export(ODD, suffix)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
@example(list(ODD_NAMES))
@example(
    [
        "NOTE x",
        "STYLE",
        "WEBVTT",
        "7",
        "{\\an8}",
        "*",
        "001  AX V C",
        "0:00:01.000 --> 1",
        "\x85 \u2028",
    ]
)
def test_any_titles_survive_in_every_format(titles):
    bounds = [30 * number for number in range(len(titles) + 1)]
    analysis = ntsc(bounds, captions=titles, tags=[(title,) for title in titles])
    names = [one_line(title) or f"Scene {number}" for number, title in enumerate(titles, 1)]
    text = export(analysis, ".vtt")
    assert [html.unescape(c.raw_text) for c in webvtt.from_string(text)] == names
    assert [s.content for s in srt.parse(export(analysis, ".srt"), ignore_errors=False)] == names
    root = ET.fromstring(export(analysis, ".fcpxml"))
    assert [clip.get("name") for clip in root.iter("asset-clip")] == names
    read = otio.adapters.read_from_string(export(analysis, ".otio"), "otio_json")
    assert [clip.name for clip in clips_of(read)] == names
    edl = otio.adapters.read_from_string(export(analysis, ".edl"), "cmx_3600", rate=float(NTSC_30))
    comments = [clip.metadata["cmx_3600"]["comments"][0] for clip in clips_of(edl)]
    assert comments == [f"COMMENT: {name}" for name in names]


def test_odd_video_names_survive_in_every_format():
    name = 'a "b" & <c>\n🏖️ קיץ %20#1.mp4'
    timeline = timeline_of(ntsc([0, 30]), Media.of(f"/media/{name}"))
    texts = {suffix: exported(timeline, suffix, drop_frame=True).decode() for suffix in FORMATS}
    clean = 'a "b" & <c> 🏖️ קיץ %20#1.mp4'
    root = ET.fromstring(texts[".fcpxml"])
    assert root.find("resources/asset").get("name") == clean
    read = otio.adapters.read_from_string(texts[".otio"], "otio_json")
    assert read.name == clean
    url = clips_of(read)[0].media_reference.target_url
    assert unquote(urlsplit(url).path) == f"/media/{name}"
    edl = otio.adapters.read_from_string(texts[".edl"], "cmx_3600", rate=float(NTSC_30))
    assert (edl.name, clips_of(edl)[0].name) == (clean, clean)
    assert len(list(csv.reader(io.StringIO(texts[".csv"])))) == 3


@pytest.mark.parametrize("suffix", [".csv", ".edl", ".fcpxml"])
def test_a_server_without_the_frame_rate_is_a_sentence(suffix):
    analysis = analysis_of([0, 30000], time_base=Fraction(1, 30000))
    with pytest.raises(Unsupported, match="does not report the frame rate"):
        export(analysis, suffix)
    timeline = otio.adapters.read_from_string(export(analysis, ".otio"), "otio_json")
    assert timeline.duration().value == 30000
