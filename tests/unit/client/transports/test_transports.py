# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire and comes back, by both protocols."""

import socket
import time
from pathlib import Path

import numpy as np
import pytest
from unit.client.loopback import Loopback, folder_of
from unit.client.scripted import (
    INVALID,
    NOT_FOUND,
    UNAVAILABLE,
    WIDTH,
    Refused,
    whole_video,
)

from trireel_client import (
    ClientClosed,
    InvalidRequest,
    NotAllowed,
    NotFound,
    RequestTimeout,
    Retry,
    ServerError,
    ServerFull,
    ServerInfo,
    ServerPath,
    ServerUnavailable,
    Timeout,
    TrireelClient,
    UnexpectedAnswer,
    Unsupported,
)


@pytest.fixture
def analysing(server: Loopback) -> Loopback:
    """A server that knows one video."""
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    return server


def test_analysis_comes_back_whole(analysing: Loopback, video: str) -> None:
    with analysing.client() as client:
        analysis = client.analyze(video, stream_id="cam-7")
    assert analysis.stream_id == "cam-7"
    assert analysis.server.name == "triton"
    assert analysis.server.version == "2.51.0"
    assert [chunk.index for chunk in analysis.chunks] == [0, 1, 2]
    assert [cut.timestamp_seconds for cut in analysis.scene_changes] == [13.75, 23.75]
    assert analysis.chunks[1].tags[1].text == "café"
    assert analysis.client_ms > 0


def test_stream_id_is_the_request_id_and_random_by_default(analysing: Loopback, video: str) -> None:
    with analysing.client() as client:
        ids = [client.analyze(video).stream_id for _ in range(2)]
        client.analyze(video, stream_id="mine")
    assert ids[0] != ids[1]
    assert [asked.request_id for asked in analysing.script.asked] == [*ids, "mine"]


def test_headers_go_with_every_request(analysing: Loopback, video: str) -> None:
    with analysing.client(headers={"Authorization": "Bearer x"}) as client:
        client.analyze(video)
    assert analysing.script.asked[0].headers["authorization"] == "Bearer x"


def test_embeddings_on_request(server: Loopback, video: str) -> None:
    server.script.answers["video_analysis"] = lambda asked: whole_video(with_embeddings=True)
    with server.client() as client:
        analysis = client.analyze(video, with_embeddings=True)
    wanted = whole_video(with_embeddings=True)
    np.testing.assert_array_equal(
        np.concatenate([chunk.frame_embeddings for chunk in analysis.chunks]), wanted["EMBEDDINGS"]
    )
    np.testing.assert_array_equal(analysis.chunks[2].embedding, wanted["CHUNK_EMBEDDINGS"][2])


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (INVALID, InvalidRequest),
        (NOT_FOUND, NotFound),
        (Refused("UNIMPLEMENTED", 501, "VIDEO has scheme 'ftp'"), Unsupported),
        (Refused("INTERNAL", 500, "boom"), ServerError),
        (Refused("UNKNOWN", 500, "boom"), ServerError),
        (Refused("UNAUTHENTICATED", 401, "who are you"), NotAllowed),
    ],
)
def test_refusals_keep_the_servers_words(
    analysing: Loopback, video: str, refused: Refused, error: type[Exception]
) -> None:
    analysing.script.refusals = [refused]
    with analysing.client() as client, pytest.raises(error, match=str(refused)[:12]) as raised:
        client.analyze(video)
    assert raised.value.__cause__ is not None
    assert "StatusCode" not in str(raised.value)
    assert len(analysing.script.asked) == 1  # refused for good: not asked again


def test_unavailable_is_asked_again(analysing: Loopback, video: str) -> None:
    analysing.script.refusals = [UNAVAILABLE, UNAVAILABLE]
    with analysing.client() as client:
        assert client.analyze(video).num_chunks == 3
    assert len(analysing.script.asked) == 3


def test_unavailable_for_good(analysing: Loopback, video: str) -> None:
    analysing.script.refusals = [UNAVAILABLE] * 9
    with analysing.client() as client, pytest.raises(ServerUnavailable, match="the queue is full"):
        client.analyze(video)
    assert len(analysing.script.asked) == 3


def test_a_hint_of_when_to_come_back_is_followed(server: Loopback) -> None:
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    full = Refused("UNAVAILABLE", 503, "full", retry_after="1")
    server.script.refusals = [full]
    began = time.monotonic()
    with server.client() as client:
        assert client.analyze(ServerPath("a.mp4")).num_chunks == 3
    assert 1.0 <= time.monotonic() - began < 5.0


def test_a_hint_too_far_away_is_not_waited_for(server: Loopback) -> None:
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    server.script.refusals = [Refused("UNAVAILABLE", 503, "full", retry_after="86400")]
    began = time.monotonic()
    retries = Retry(2, first_wait_seconds=0.001, longest_hint_seconds=0.1)
    with server.client(retries=retries) as client:
        assert client.analyze(ServerPath("a.mp4")).chunks[0].num_chunks == 3
    assert 0.1 <= time.monotonic() - began < 5.0


def test_no_pause_is_longer_than_an_answer_may_take(server: Loopback) -> None:
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    server.script.refusals = [
        Refused("UNAVAILABLE", 503, "the server is full: ask again in about 9 s")
    ]
    began = time.monotonic()
    with (
        server.client(timeout=Timeout(5.0, 2.0)) as client,
        pytest.raises(ServerFull, match="about 9 s") as raised,
    ):
        client.analyze(ServerPath("a.mp4"))
    assert time.monotonic() - began < 1.0
    assert raised.value.retry_after_seconds == 9.0
    assert len(server.script.asked) == 1


def test_retries_can_be_turned_off(analysing: Loopback, video: str) -> None:
    analysing.script.refusals = [UNAVAILABLE]
    with (
        analysing.client(retries=Retry(attempts=1)) as client,
        pytest.raises(ServerUnavailable, match="not available"),
    ):
        client.analyze(video)


def test_timeout_is_final(analysing: Loopback, video: str) -> None:
    def slow(asked):
        analysing.script.go_on.wait(10.0)
        return whole_video()

    analysing.script.answers["video_analysis"] = slow
    began = time.monotonic()
    with (
        analysing.client(timeout=Timeout(5.0, 0.2)) as client,
        pytest.raises(RequestTimeout, match=r"did not answer within 0\.2 s"),
    ):
        client.analyze(video)
    assert time.monotonic() - began < 5.0
    assert len(analysing.script.asked) == 1


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_nobody_listens(protocol: str, video: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # taken, but not listening
        url = f"127.0.0.1:{reserved.getsockname()[1]}"
        retries = Retry(attempts=2, first_wait_seconds=0.001)
        with TrireelClient(url, protocol=protocol, retries=retries) as client:
            assert not client.is_ready()
            with pytest.raises(
                ServerUnavailable, match=r"no server listens there \(connection refu"
            ):
                client.analyze(video)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_server_that_accepts_and_says_nothing(protocol: str, video: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"127.0.0.1:{silent.getsockname()[1]}"
        timeout = Timeout(0.2, 0.2)
        with (
            TrireelClient(url, protocol=protocol, timeout=timeout) as client,
            pytest.raises((RequestTimeout, ServerUnavailable), match=r"127\.0\.0\.1"),
        ):
            client.analyze(video)


def test_wrong_protocol_is_explained(server: Loopback, video: str) -> None:
    other = {"grpc": "http", "http": "grpc"}[server.protocol]
    timeout = Timeout(2.0, 2.0)
    retries = Retry(attempts=1)
    with (
        TrireelClient(server.url, protocol=other, timeout=timeout, retries=retries) as client,
        pytest.raises(
            (ServerUnavailable, UnexpectedAnswer, RequestTimeout, Unsupported),
            match=r"127\.0\.0\.1:\d+ ",
        ),
    ):
        client.analyze(video)


def test_incomplete_answer(server: Loopback, video: str) -> None:
    tensors = whole_video()
    del tensors["SCENE_TRACE"]
    server.script.answers["video_analysis"] = lambda asked: tensors
    with server.client() as client, pytest.raises(UnexpectedAnswer, match="lacks SCENE_TRACE"):
        client.analyze(video)


def test_embed_texts_in_batches(server: Loopback) -> None:
    def embed(asked):
        texts = asked.inputs["TEXTS"]
        lengths = [len(text) for text in texts.ravel()]
        return {"EMBEDDINGS": np.tile(np.array(lengths, np.float32)[:, None], WIDTH)}

    server.script.answers["siglip_text"] = embed
    with server.client() as client:
        embeddings = client.embed_texts(["x" * (i + 1) for i in range(130)])
    assert embeddings.dtype == np.float32
    assert list(embeddings[:, 0]) == list(range(1, 131))
    shapes = [asked.inputs["TEXTS"].shape for asked in server.script.asked]
    assert shapes == [(64, 1), (64, 1), (2, 1)]


@pytest.mark.parametrize(
    ("texts", "message"), [([], "is empty"), ("cat", "one string"), ([" "], "blank")]
)
def test_embed_texts_wants_texts(server: Loopback, texts, message: str) -> None:
    with server.client() as client, pytest.raises(InvalidRequest, match=message):
        client.embed_texts(texts)


def test_server_info_and_readiness(server: Loopback) -> None:
    server.script.models_ready = {"video_analysis": True, "siglip_text": False}
    with server.client() as client:
        info = client.server_info()
        assert (info.name, info.version) == ("triton", "2.51.0")
        assert "sequence" in info.extensions
        assert client.is_ready()
        assert client.is_ready("video_analysis")
        assert not client.is_ready("siglip_text")
        assert not client.is_ready("no_such_model")
        server.script.ready = False
        assert not client.is_ready()


def test_file_in_the_shared_folder_is_named(analysing: Loopback, video: str, tmp_path) -> None:
    analysing.script.parameters = folder_of(tmp_path)
    with analysing.client() as client:
        client.analyze(video)
    assert analysing.script.asked[0].inputs.keys() == {"VIDEO"}
    assert analysing.script.asked[0].inputs["VIDEO"][0].decode() == Path(video).name


@pytest.mark.parametrize(
    "parameters",
    [{}, {"media_root_id": ""}, {"media_root_id": "a:b:c"}, INVALID],
)
def test_other_files_are_sent(analysing: Loopback, video: str, parameters) -> None:
    analysing.script.parameters = parameters
    with analysing.client() as client:
        client.analyze(video)
    assert analysing.script.asked[0].inputs.keys() == {"VIDEO_DATA"}


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_file_is_sent_if_only_the_folders_name_is_the_same(
    analysing: Loopback, video: str, tmp_path, part: int
) -> None:
    """As in a container: another boot, device or inode."""
    said = folder_of(tmp_path)
    parts = said["media_root_id"].split(":")
    parts[part] += "0"
    analysing.script.parameters = {**said, "media_root_id": ":".join(parts)}
    with analysing.client() as client:
        client.analyze(video)
    assert analysing.script.asked[0].inputs.keys() == {"VIDEO_DATA"}


def test_uri_and_server_path_are_named(analysing: Loopback) -> None:
    with analysing.client() as client:
        client.analyze("s3://bucket/a.mp4")
        client.analyze(ServerPath("clips/a.mp4"))
        client.analyze(b"bytes")
    asked = analysing.script.asked
    assert asked[0].inputs["VIDEO"][0] == b"s3://bucket/a.mp4"
    assert asked[1].inputs["VIDEO"][0] == b"clips/a.mp4"
    assert asked[2].inputs["VIDEO_DATA"][0] == b"bytes"


def test_closed_client_says_so(server: Loopback) -> None:
    client = server.client()
    client.close()
    client.close()
    with pytest.raises(ClientClosed, match="make a new one"):
        client.server_info()


def test_information_is_asked_for_once(analysing: Loopback, video: str) -> None:
    with analysing.client() as client:
        first, second = client.analyze(video), client.analyze(video)
    assert first.server is second.server
    assert isinstance(first.server, ServerInfo)
