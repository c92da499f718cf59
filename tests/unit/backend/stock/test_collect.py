# SPDX-License-Identifier: Apache-2.0
"""Stock videos: a service on loopback, real videos, a folder and an S3 server."""

import importlib.util
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import av
import boto3
import numpy as np
import pytest
from support.s3 import s3_server
from support.videos import numbered_frame, write_audio, write_video
from support.web import web_server, with_ranges

from trireel_backend.stock.collect import choose_file
from trireel_backend.stock.normalise import Form, normalise

SCRIPT = Path(__file__).parents[4] / "scripts/download_stock_videos.py"


@pytest.fixture(scope="module")
def main():
    spec = importlib.util.spec_from_file_location("download_stock_videos", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Return a video of two seconds at 25 frames per second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, [numbered_frame(i) for i in range(50)])


def offer(server, number, path="/clip"):
    files = [
        {"file_type": "video/mp4", "width": 1920, "height": 1080, "link": server.url("/large")},
        {"file_type": "video/mp4", "width": 640, "height": 400, "link": server.url(path)},
        {"file_type": "video/mp4", "width": 320, "height": 200, "link": server.url("/small")},
    ]
    return {"id": number, "video_files": files}


@pytest.fixture
def service(clip):
    """Run an API that offers seven videos in pages of four; the third is broken."""

    def search(handler):
        if handler.headers["Authorization"] != "key":
            handler.answer(401)
            return
        query = parse_qs(urlsplit(handler.path).query)
        page, size = int(query["page"][0]), min(4, int(query["per_page"][0]))
        numbers = range(1, 8)[(page - 1) * size : page * size]
        videos = [offer(server, n, "/broken" if n == 3 else "/clip") for n in numbers]
        more = {"next_page": "yes"} if page * size < 7 else {}
        handler.answer(200, json.dumps({"videos": videos, **more}).encode())

    answers = {
        "/videos/search": search,
        "/clip": with_ranges(clip.read_bytes()),
        "/broken": with_ranges(b"not a video at all"),
    }
    with web_server(answers) as server:
        yield server


@pytest.fixture
def run(main, service, monkeypatch, capsys):
    """Return a function that runs the script and returns exit status, stored paths and messages."""
    monkeypatch.delenv("PEXELS_API_KEY", raising=False)
    common = ["--api-url", service.url(""), "--allow-network", "127.0.0.0/8", "--size", "64"]

    def run(*arguments, key="key"):
        status = main([*arguments, *common, *(["--api-key", key] if key else [])])
        captured = capsys.readouterr()
        return status, captured.out.split(), captured.err

    return run


def test_videos_are_stored_in_one_form(run, tmp_path):
    status, places, _ = run("City street!", "--count", "2", "--output", str(tmp_path / "new"))
    assert status == 0
    assert places == [str(tmp_path / f"new/city-street-{n}.mp4") for n in (1, 2)]
    with av.open(places[0]) as video:
        (stream,) = video.streams
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.average_rate) == (64, 64, 30)
        times = [float(frame.pts * frame.time_base) for frame in video.decode(stream)]
    np.testing.assert_allclose(times, np.arange(60) / 30, atol=1e-3)


def test_a_bad_video_does_not_end_the_run(run, tmp_path):
    status, places, messages = run("park", "--count", "7", "--output", str(tmp_path))
    assert status == 1
    assert len(places) == 6
    assert "park-3.mp4: " in messages
    assert "6 stored, 0 reused, 1 failed" in messages
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"park-{n}.mp4" for n in (1, 2, 4, 5, 6, 7)
    ]


def test_a_stored_video_is_not_downloaded_again(run, service, tmp_path):
    first = run("gym", "--count", "2", "--output", str(tmp_path))
    requests = len(service.requests)
    again = run("gym", "--count", "2", "--output", str(tmp_path))
    assert again[:2] == first[:2]
    assert "0 stored, 2 reused, 0 failed" in again[2]
    assert len(service.requests) == requests + 1  # only the search


def test_videos_go_to_s3(run, service, monkeypatch, tmp_path):
    with s3_server() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="stock")
        try:
            for outcome in ("1 stored, 0 reused", "0 stored, 1 reused"):
                status, places, messages = run("a", "--count", "1", "--output", "s3://stock/in/")
                assert (status, places) == (0, ["s3://stock/in/a-1.mp4"])
                assert outcome in messages
            head = client.head_object(Bucket="stock", Key="in/a-1.mp4")
            assert head["ContentType"] == "video/mp4"
            status, _, messages = run("a", "--output", "s3://no-such-bucket/in")
            assert status == 2
            assert "s3://no-such-bucket/in/a-1.mp4 cannot be used" in messages
        finally:
            client.close()


def test_a_wrong_key_is_named(run, tmp_path):
    status, places, messages = run("a", "--output", str(tmp_path), key="wrong")
    assert (status, places) == (2, [])
    assert "check the API key" in messages


def test_a_missing_key_is_named(run, tmp_path):
    status, _, messages = run("a", "--output", str(tmp_path), key=None)
    assert status == 2
    assert "PEXELS_API_KEY" in messages


def test_the_key_may_come_from_the_environment(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PEXELS_API_KEY", "key")
    assert run("a", "--count", "1", "--output", str(tmp_path), key=None)[0] == 0


def file(width, height, kind="video/mp4"):
    link = f"{width}x{height}"
    return {"file_type": kind, "width": width, "height": height, "link": link}


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ([file(1920, 1080), file(640, 400), file(320, 200)], "640x400"),
        ([file(320, 200), file(300, 100)], "320x200"),
        ([file(640, 400, "application/x-mpegURL"), file(1920, 1080)], "1920x1080"),
        ([{"file_type": "video/mp4", "width": None, "height": None, "link": "x"}], None),
        ([], None),
    ],
)
def test_the_smallest_file_that_is_large_enough_is_chosen(files, chosen):
    assert choose_file(files) == chosen


def test_sound_is_removed_and_a_long_video_is_cut(clip, tmp_path):
    normalise(clip, tmp_path / "out.mp4", Form(size_px=32, most_seconds=0.5))
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert [stream.type for stream in video.streams] == ["video"]
        assert len(list(video.decode(video=0))) == 15


def test_a_file_without_a_video_stream_is_rejected(tmp_path):
    from trireel_backend.errors import NotAVideo

    with pytest.raises(NotAVideo, match="no video stream"):
        normalise(write_audio(tmp_path / "a.m4a"), tmp_path / "out.mp4", Form())
