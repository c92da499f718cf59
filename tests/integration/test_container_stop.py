# SPDX-License-Identifier: Apache-2.0
"""A stop while videos are under way."""

import signal
import threading
import time

import av
import pytest
from support.container import GONE_SECONDS, launched, lay_out_triton, left_over

from trireel_client import ServerPath, ServerUnavailable, TrireelClient

from .conftest import SAMPLE


@pytest.fixture(scope="module")
def opt(tmp_path_factory):
    return lay_out_triton(tmp_path_factory.mktemp("tritonserver"))


@pytest.fixture
def long_media(tmp_path):
    """A video that takes some seconds: the sample, many times."""
    folder = tmp_path / "media"
    folder.mkdir()
    with av.open(str(SAMPLE)) as source, av.open(str(folder / "long.mp4"), "w") as target:
        (video,) = source.streams.video
        stream = target.add_stream_from_template(video)
        packets = [packet for packet in source.demux(video) if packet.pts is not None]
        length = max(packet.pts + packet.duration for packet in packets)
        for turn in range(15):
            for packet in packets:
                packet.stream = stream
                packet.pts += length * bool(turn)
                packet.dts += length * bool(turn)
                target.mux(packet)
    return folder


def test_a_stop_lets_videos_finish_and_takes_no_new_ones(opt, tmp_path, long_media):
    answers = {}
    begun = threading.Event()

    def whole():
        with TrireelClient(server.grpc_url) as client:
            answers["whole"] = client.analyze(ServerPath("long.mp4"))

    def stream():
        with TrireelClient(server.grpc_url) as client:
            for answer in client.stream(ServerPath("long.mp4")):
                answers["stream"] = answer
                begun.set()

    with launched(opt, tmp_path, long_media) as server:
        run, members = server.run_folder(), server.members()
        callers = [threading.Thread(target=call) for call in (whole, stream)]
        for caller in callers:
            caller.start()
        assert begun.wait(30)
        time.sleep(1)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("Trireel is stopping: up to 300 s", 10)
        with (
            TrireelClient(server.grpc_url) as client,
            pytest.raises(ServerUnavailable, match="stopping"),
        ):
            client.analyze(ServerPath("long.mp4"))
        for caller in callers:
            caller.join()
        assert server.process.wait(GONE_SECONDS) == 0
    assert len(answers["whole"].chunks) == len(answers["stream"].chunks) > 50
    assert not any(member.is_running() for member in members)
    assert left_over(run) == []
