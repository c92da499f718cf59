# SPDX-License-Identifier: Apache-2.0
"""Requests as people send them: odd file names, curl, pinging clients, links that are pages."""

import json
import os
import shutil
import time
import unicodedata
import urllib.error
import urllib.request
from urllib.parse import quote_from_bytes

import numpy as np
import pytest
import tritonclient.grpc as triton
from support.videos import numbered_frame, write_video
from support.web import web_server, with_ranges

from trireel_client import InvalidRequest, NotFound, ServerPath, TrireelClient

from .conftest import SAMPLE, served

NAMES = [
    unicodedata.normalize("NFC", "my clip ü 录.mp4").encode(),
    unicodedata.normalize("NFD", "my clip ü 录.mp4").encode(),
    b'it\'s a "clip".mp4',
    b"two\nlines.mp4",
    "👩\u200d💻\u202f\u3000.mp4".encode(),
    b"caf\xe9.mp4",
]
PING_SECONDS = 1.2
SLOW_SECONDS = 7.0  # more than the three pings after which Triton closes connections by default


def slow(data):
    def answer(handler):
        time.sleep(SLOW_SECONDS)
        with_ranges(data)(handler)

    return answer


@pytest.fixture(scope="module")
def web():
    page = b"<!DOCTYPE html><html><title>Shared file</title>" + b"<p></p>" * 7000
    answers = {
        "/slow.mp4": slow(SAMPLE.read_bytes()),
        "/share": lambda handler: handler.answer(200, page, Content_Type="text/html"),
        "/typed.mp4": lambda handler: handler.answer(
            200, SAMPLE.read_bytes(), Content_Type="text/html", Content_Encoding="aws-chunked"
        ),
    }
    with web_server(answers) as server:
        yield server


@pytest.fixture(scope="module")
def server(web, tmp_path_factory):
    """A server whose media folder has spaces, a quote and an umlaut in its name."""
    media = tmp_path_factory.mktemp("callers") / 'vidéo \'s "ü"'
    media.mkdir()
    clip = write_video(media / "clip.mp4", [numbered_frame(i) for i in range(50)])
    for name in NAMES:
        shutil.copy(clip, media / os.fsdecode(name))
    shutil.copy(SAMPLE, media)
    log = tmp_path_factory.mktemp("log")
    with served(media, log, {"allowed_networks": "127.0.0.0/8"}) as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_of_any_bytes(server, client, name):
    text = os.fsdecode(name)
    whole = client.analyze(server.media / "clip.mp4")
    for source in (server.media / text, ServerPath(text)):
        assert client.analyze(source).chunks == whole.chunks
    uri = "file://" + quote_from_bytes(os.fsencode(server.media / text))
    assert next(client.stream(uri)).frame_pts == whole.chunks[0].frame_pts


def test_an_odd_name_that_is_not_there(client):
    with pytest.raises(NotFound, match=r"nothing ü\.mp4' is not in the media folder"):
        client.analyze(ServerPath("nothing ü.mp4"))


def post(server, path, **inputs):
    """Return the response to a JSON request, with its events."""
    request = urllib.request.Request(
        f"http://{server.http_url}/v2/models/{path}", json.dumps(inputs).encode()
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.read().decode()


def events(text):
    return [json.loads(part.removeprefix("data: ")) for part in text.split("\n\n") if part]


def test_generate_stream_gives_an_event_a_chunk(server, client):
    found = events(post(server, "video_analysis_stream/generate_stream", VIDEO="sample.mp4"))
    analysis = client.analyze(ServerPath("sample.mp4"))
    assert [event["IS_AGGREGATE"] for event in found] == [False] * analysis.num_chunks + [True]
    captions = [chunk.caption.text for chunk in analysis.chunks]
    assert [event["CHUNK_CAPTION_TEXTS"] for event in found[:-1]] == captions
    assert found[-1]["CHUNK_CAPTION_TEXTS"] == captions
    assert found[-1]["CAPTION_TEXT"] == analysis.caption.text


def test_generate_takes_all_inputs_as_fields(server):
    inputs = {"VIDEO": "sample.mp4", "TAGS": ["kitchen", "a dog"], "TOP_K": 1, "CHUNK_SECONDS": 60}
    answer = json.loads(post(server, "video_analysis/generate", **inputs))
    assert answer["TAG_TEXTS"] == "kitchen"
    assert answer["CHUNK_INDICES"] == 0


def test_a_stream_that_cannot_begin_is_one_event_with_a_reason(server):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        post(server, "video_analysis_stream/generate_stream", VIDEO="nothing.mp4")
    assert refusal.value.code == 400
    assert "is not in the media folder" in events(refusal.value.read().decode())[0]["error"]


def test_pings_while_a_video_is_fetched_end_no_connection(server, web):
    arguments = [
        ("grpc.keepalive_time_ms", int(PING_SECONDS * 1000)),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    video = triton.InferInput("VIDEO", [1], "BYTES")
    video.set_data_from_numpy(np.array([web.url("/slow.mp4").encode()], object))
    with triton.InferenceServerClient(server.grpc_url, channel_args=arguments) as raw:
        answer = raw.infer("video_analysis", [video], client_timeout=60)
    assert answer.as_numpy("NUM_CHUNKS") == [6]


def test_a_share_link_is_told_to_be_a_page_and_not_kept(client, web):
    with pytest.raises(InvalidRequest, match=r"/share answered with a web page \(HTML\)"):
        client.analyze(web.url("/share"))


def test_a_video_with_a_wrong_type_and_coding_is_answered(client, web):
    assert client.analyze(web.url("/typed.mp4")).num_chunks == 6


def test_loopback_is_reached_in_spite_of_a_proxy(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with TrireelClient(server.grpc_url) as client:
        assert client.is_ready()
