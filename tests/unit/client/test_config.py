# SPDX-License-Identifier: Apache-2.0
"""What a client is made with."""

import pytest
from unit.client.loopback import Loopback
from unit.client.scripted import stream_of, whole_video

from trireel_client import AsyncTrireelClient, InvalidRequest, Timeout, TrireelClient
from trireel_client._config import LONGEST_SECONDS

SECRET = "Bearer s3cret"


@pytest.mark.parametrize("client_class", [TrireelClient, AsyncTrireelClient])
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("authorization", f"{SECRET}\n", "the header 'authorization' cannot be sent"),
        ("authorization", f"{SECRET}é", "the header 'authorization' cannot be sent"),
        ("authorization", 5, "the header 'authorization' cannot be sent"),
        ("a name", SECRET, "headers has the name 'a name'"),
        ("name\n", SECRET, "headers has the name"),
        ("", SECRET, "headers has the name ''"),
        ("token-bin", SECRET, "headers has the name 'token-bin'"),
    ],
)
def test_headers_that_cannot_be_sent(client_class, name: str, value, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as raised:
        client_class(headers={"fine": "x", name: value})
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("name", ["connect_seconds", "request_seconds"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e7])
def test_times_that_cannot_be_waited(name: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is .*: give a positive number up to 1e"):
        Timeout(**{name: seconds})


def test_the_longest_time_can_be_waited(server: Loopback, video: str) -> None:
    longest = Timeout(LONGEST_SECONDS, LONGEST_SECONDS)
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    server.script.answers["video_analysis_stream"] = lambda asked: stream_of()
    with server.client(timeout=longest) as client:
        assert client.analyze(video).num_chunks == 3
        if server.protocol == "grpc":
            assert len(list(client.stream(video))) == 4
