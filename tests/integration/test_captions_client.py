# SPDX-License-Identifier: Apache-2.0
"""Captions from the real Triton to files: the client's events, the command, clips and subtitles."""

import io
import json
import os

import av
import numpy as np
import pytest
from support.text import lettered, text_folder
from support.videos import write_video
from typer.testing import CliRunner

from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.ports import Ports
from trireel_client import (
    AsyncTrireelClient,
    CaptionReport,
    Clip,
    InvalidRequest,
    ScreenCaption,
    TrireelClient,
)
from trireel_client._command.cli import app

from .conftest import EXPORT, MODELS, Server

NEEDED = (
    *("siglip_vision", "frame_extractor", "clip_encoder"),
    *("caption_extents", "text_detector", "text_recognizer"),
)
FPS, SECONDS = 10, 5
TEXTS = ("We leave at 7:30", "jusqu'à 40 km")
FRAMES = ((8, 22), (22, 40))
"""First frame of each caption, and the first without it."""
REGION = (0.0, 0.7, 1.0, 0.3)
CROP = ["--crop", ",".join(map(str, REGION))]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The models that captions need, alone: quick to start."""
    folder = tmp_path_factory.mktemp("captions")
    (folder / "models").mkdir()
    (folder / "media").mkdir()
    for name in NEEDED:
        (folder / "models" / name).symlink_to(MODELS / name)
    options = ServerOptions(
        models=folder / "models",
        export=EXPORT,
        media_root=folder / "media",
        ports=Ports.free(),
        text_models=text_folder(),
        log=folder / "triton.log",
    )
    with embedded_server(options) as running:
        yield Server(
            grpc_url=f"127.0.0.1:{running.ports.grpc}",
            http_url=f"127.0.0.1:{running.ports.http}",
            metrics_url=f"127.0.0.1:{running.ports.metrics}",
            media=options.media_root,
            process_id=running.process.pid,
            log=options.log,
        )


@pytest.fixture(autouse=True)
def no_unexpected_errors_in_the_log(server):
    """As for all tests, but Triton logs each stream that ends with an error in its own way."""
    before = server.log.stat().st_size
    yield
    lines = server.log.read_bytes()[before:].decode().splitlines()
    errors = [line for line in lines if line.startswith("E")]
    assert [line for line in errors if "HandleCancellation called even when" not in line] == []


@pytest.fixture(scope="module")
def video(server):
    """Two captions, the second directly behind the first."""
    size_px = (480, 270)
    bare = lettered(size_px, [])
    pictures = [bare] * (FPS * SECONDS)
    for text, (first, end) in zip(TEXTS, FRAMES, strict=True):
        pictures[first:end] = [lettered(size_px, [((90, 210), text, 30)])] * (end - first)
    path = server.media / "captions.mp4"
    write_video(path, pictures, [100 * i for i in range(len(pictures))])
    return str(path)


def spans(captions):
    return [(c.text, round(c.start_seconds * FPS), round(c.end_seconds * FPS)) for c in captions]


EXPECTED = [(text, *frames) for text, frames in zip(TEXTS, FRAMES, strict=True)]


def frames_of(clip):
    with av.open(io.BytesIO(clip)) as container:
        return [(frame.pts, frame.height, frame.width) for frame in container.decode(video=0)]


def test_the_command_writes_captions_and_clips(server, video, tmp_path):
    clips, srt = tmp_path / "clips", tmp_path / "a.srt"
    arguments = ["captions", video, *CROP, "--url", server.grpc_url, "--json", "--srt", str(srt)]
    result = CliRunner().invoke(app, [*arguments, "--clips", str(clips), "--clip-seconds", "2"])
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert spans([ScreenCaption(**c) for c in answer["captions"]]) == EXPECTED
    assert srt.read_text().splitlines()[:3] == ["1", "00:00:00,800 --> 00:00:02,200", TEXTS[0]]
    files = sorted(os.listdir(clips))
    assert files == [*(f"clip-00000{i}.webm" for i in range(3)), "manifest.json"]
    frames = [frame for file in files[:3] for frame in frames_of((clips / file).read_bytes())]
    assert [pts for pts, *_ in frames] == [100 * i for i in range(FPS * SECONDS)]
    assert {(height, width) for _, height, width in frames} == {(81, 480)}
    assert answer["num_clip_frames"] == FPS * SECONDS
    names = {stage["name"] for stage in answer["stages"]}
    assert {"extract", "compare", "read", "encode", "write"} <= names


async def test_an_event_loop_gets_the_same(server, video):
    async with AsyncTrireelClient(server.grpc_url) as client:
        events = [event async for event in client.captions(video, crop=REGION, with_clips=True)]
    assert spans([event for event in events if isinstance(event, ScreenCaption)]) == EXPECTED
    (clip,) = [event for event in events if isinstance(event, Clip)]
    assert len(frames_of(clip.data)) == clip.num_frames == FPS * SECONDS
    assert isinstance(events[-1], CaptionReport)
    assert events[-1].region == pytest.approx(REGION, abs=0.01)


def test_a_client_that_leaves_stops_the_work(server, video):
    with TrireelClient(server.grpc_url) as client:
        events = client.captions(video, crop=REGION, with_clips=True)
        next(events)
        events.close()
        assert spans_of_all(client, video) == EXPECTED


def spans_of_all(client, video):
    events = client.captions(video, crop=REGION)
    return spans([event for event in events if isinstance(event, ScreenCaption)])


def test_a_video_without_text_has_no_captions(server):
    path = server.media / "bare.mp4"
    write_video(path, [np.full((90, 160, 3), 90, np.uint8)] * 25)
    with TrireelClient(server.grpc_url) as client:
        *_, report = client.captions(path)
    assert (report.num_captions, report.num_clips) == (0, 0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"crop": (0.5, 0.5, 2, 2)}, "CROP is"),
        (
            {"with_clips": True, "clip_codec": "av1", "clip_deadline": "good"},
            "CLIP_DEADLINE is for",
        ),
    ],
)
def test_a_bad_option_is_a_sentence(server, video, options, reason):
    with (
        TrireelClient(server.grpc_url) as client,
        pytest.raises(InvalidRequest, match=reason),
    ):
        list(client.captions(video, **options))
