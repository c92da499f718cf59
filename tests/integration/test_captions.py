# SPDX-License-Identifier: Apache-2.0
"""caption_extents in the real Triton: captions to the frame, clips, regions, errors."""

import io

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw
from support.text import font, text_folder
from support.videos import write_video

from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.ports import Ports
from trireel_client import (
    CaptionReport,
    Clip,
    InvalidRequest,
    ScreenCaption,
    ServerPath,
    TrireelClient,
)

from .conftest import EXPORT, MODELS

WIDTH, HEIGHT, FPS, COUNT = 480, 270, 25, 100
SHOWN = {
    "We leave at seven, not later.": (5, 40),
    "We leave at seven, not latex.": (40, 62),
    "Where did you put\nthe other key?": (70, 95),
}
SERVED = (
    *("siglip_vision", "frame_extractor", "clip_encoder", "server_info"),
    *("chunk_encoder", "temporal_decoder", "video_analysis", "video_analysis_stream"),
    *("text_detector", "text_recognizer", "caption_extents"),
)
BAND = (0.0, 0.7, 1.0, 0.3)


def background(frame):
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    waves = 90 + 50 * np.sin((columns + rows + 6 * frame) / 60)
    return np.stack([waves, 0.7 * waves, 200 - waves], axis=-1).astype(np.uint8)


def lettered(frame):
    image = Image.fromarray(background(frame))
    pen = ImageDraw.Draw(image)
    for text, (first, end) in SHOWN.items():
        if first <= frame < end:
            place = (WIDTH / 2, HEIGHT - 12)
            options = {"font": font(20), "anchor": "md", "align": "center"}
            pen.multiline_text(place, text, "white", **options, stroke_width=2, stroke_fill="black")
    return np.asarray(image)


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    write_video(folder / "captions.mp4", [lettered(frame) for frame in range(COUNT)], gop=50)
    write_video(folder / "silent.mp4", [background(frame) for frame in range(40)])
    (folder / "text.mp4").write_text("I am not a video.")
    return folder


@pytest.fixture(scope="module")
def server_url(media, tmp_path_factory):
    folder = tmp_path_factory.mktemp("captions")
    (folder / "models").mkdir()
    for name in SERVED:
        (folder / "models" / name).symlink_to(MODELS / name)
    options = ServerOptions(
        models=folder / "models",
        export=EXPORT,
        media_root=media,
        ports=Ports.free(),
        text_models=text_folder(),
        log=folder / "triton.log",
    )
    with embedded_server(options) as running:
        yield f"127.0.0.1:{running.ports.grpc}"


@pytest.fixture(scope="module")
def client(server_url):
    with TrireelClient(server_url) as client:
        yield client


@pytest.fixture(scope="module")
def events(client):
    """All events of the lettered video, with clips."""
    return list(
        client.captions(ServerPath("captions.mp4"), crop=BAND, with_clips=True, clip_seconds=1.5)
    )


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def frame_extents(caption):
    return [
        round(seconds * FPS)
        for seconds in (
            caption.first_frame_seconds,
            caption.last_frame_seconds,
            caption.end_seconds,
        )
    ]


def test_captions_are_exact_to_the_frame(events):
    found = {caption.text: frame_extents(caption) for caption in of_kind(events, ScreenCaption)}
    assert found == {text: [first, end - 1, end] for text, (first, end) in SHOWN.items()}


def test_boxes_are_fractions_of_the_whole_picture(events):
    for caption in of_kind(events, ScreenCaption):
        left, top, right, bottom = caption.box
        assert left + right == pytest.approx(1, abs=0.04)
        assert 0.75 < top < bottom < 1


def test_clips_hold_every_sample_of_the_region_once(events):
    clips = sorted(of_kind(events, Clip), key=lambda clip: clip.index)
    seconds = []
    for clip in clips:
        with av.open(io.BytesIO(clip.data)) as file:
            frames = list(file.decode(video=0))
        assert len(frames) == clip.num_frames
        assert (frames[0].width, frames[0].height) == (WIDTH, 81)
        seconds += [frame.time for frame in frames]
    expected = [-(-slot * FPS // 10) / FPS for slot in range(COUNT * 10 // FPS)]
    assert seconds == pytest.approx(expected, abs=0.001)


def test_the_report_counts_all_frames(events):
    report = of_kind(events, CaptionReport)[0]
    counts = {stage.name: stage.count for stage in report.stages}
    assert counts["extract"] == COUNT
    assert counts["compare"] == counts["encode"] == COUNT * 10 // FPS
    assert report.num_captions == len(SHOWN)


def test_the_region_is_found(client):
    events = list(client.captions(ServerPath("captions.mp4"), find_region=True, sample_fps=5))
    texts = [caption.text for caption in of_kind(events, ScreenCaption)]
    assert texts == list(SHOWN)
    region = of_kind(events, CaptionReport)[0].region
    assert 0.6 < region[1] < 0.85


def test_a_video_without_text_has_no_captions(client):
    events = list(client.captions(ServerPath("silent.mp4"), sample_fps=2))
    assert of_kind(events, ScreenCaption) == []
    assert of_kind(events, CaptionReport)[0].num_captions == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop_px": (0, 300, 480, 100)}, "not inside the upright picture of 480 x 270"),
        ({"crop": BAND, "find_region": True}, "one of"),
        ({"sample_fps": -1.0}, "sample_fps|SAMPLE_FPS"),
    ],
)
def test_a_request_that_cannot_be_answered_gets_a_sentence(client, options, message):
    with pytest.raises((InvalidRequest, ValueError), match=message):
        list(client.captions(ServerPath("captions.mp4"), **options))


def test_the_finding_reads_captions_to_the_sampled_frame(client):
    analysis = client.analyze(
        ServerPath("captions.mp4"), find=["text"], text_fps=5.0, chunk_seconds=2.0
    )
    assert [caption.text for caption in analysis.captions] == list(SHOWN)
    for caption, (first, end) in zip(analysis.captions, SHOWN.values(), strict=True):
        assert caption.start_seconds == pytest.approx(first / FPS, abs=0.21)
        assert caption.end_seconds == pytest.approx(end / FPS, abs=0.21)
        left, top, right, bottom = caption.box
        assert left + right == pytest.approx(1, abs=0.04)
        assert 0.75 < top < bottom < 1


def test_a_file_that_is_no_video_gets_a_sentence(client):
    with pytest.raises(InvalidRequest, match="not a video"):
        list(client.captions(ServerPath("text.mp4")))


def test_a_client_that_goes_away_leaves_the_server_usable(client):
    for _ in range(4):  # more than are in flight at once
        events = client.captions(ServerPath("captions.mp4"), crop=BAND)
        next(events)
        events.close()
    assert of_kind(
        list(client.captions(ServerPath("silent.mp4"), crop=BAND, sample_fps=1)), CaptionReport
    )
