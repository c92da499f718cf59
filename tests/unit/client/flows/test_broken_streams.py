# SPDX-License-Identifier: Apache-2.0
"""A stream that breaks goes on elsewhere: no chunk twice, none left out."""

import time

import numpy as np
import pytest
from unit.client.either import Either, indices
from unit.client.loopback import QUICK, Loopback
from unit.client.scripted import INVALID, UNAVAILABLE, one_chunk, stream_of, whole_video

from trireel_client import (
    InvalidRequest,
    RequestTimeout,
    ServerUnavailable,
    Timeout,
    UnexpectedAnswer,
)

NOT_THE_WHOLE = {"IS_AGGREGATE": np.array([False])}


@pytest.fixture(params=[True, False], ids=["blocking", "async"])
def streaming(grpc_only: Loopback, request) -> Either:
    """A server that streams one video, asked by both clients in turn."""
    grpc_only.script.answers["video_analysis_stream"] = lambda asked: stream_of()
    return Either(grpc_only, request.param)


def broken_after(count: int, error: Exception):
    """Yield the first answers of the stream, then fail."""
    for i, answer in enumerate(stream_of()):
        if i == count:
            raise error
        yield answer


@pytest.mark.parametrize("given", [0, 1, 3])
def test_a_broken_stream_goes_on_elsewhere(streaming: Either, given: int) -> None:
    streams = iter([broken_after(given, UNAVAILABLE), stream_of()])
    streaming.script.answers["video_analysis_stream"] = lambda asked: next(streams)
    assert indices(streaming.all("stream")) == [0, 1, 2, "whole"]
    assert len(streaming.script.asked) == 2
    assert len({asked.request_id for asked in streaming.script.asked}) == 1


def test_every_chunk_earns_all_attempts_again(streaming: Either) -> None:
    streams = iter([broken_after(given, UNAVAILABLE) for given in (0, 0, 1, 1, 2, 3)])
    streaming.script.answers["video_analysis_stream"] = lambda asked: next(streams, stream_of())
    assert indices(streaming.all("stream")) == [0, 1, 2, "whole"]


def test_a_stream_that_always_breaks_is_given_up(streaming: Either) -> None:
    streaming.script.answers["video_analysis_stream"] = lambda asked: broken_after(1, UNAVAILABLE)
    with pytest.raises(ServerUnavailable, match="queue is full"):
        streaming.all("stream")
    assert len(streaming.script.asked) == 1 + QUICK.attempts - 1


def test_streams_that_follow_each_other_share_one_time(streaming: Either) -> None:
    def late():
        yield {**one_chunk(0), "IS_AGGREGATE": np.array([False])}
        streaming.script.go_on.wait(0.8)
        raise UNAVAILABLE

    def hanging():
        streaming.script.go_on.wait(10.0)
        yield from stream_of()

    streams = iter([late(), hanging()])
    streaming.script.answers["video_analysis_stream"] = lambda asked: next(streams)
    streaming.timeout = Timeout(5.0, 1.0)
    began = time.monotonic()
    with pytest.raises(RequestTimeout, match="did not answer within 1 s"):
        streaming.all("stream")
    assert 0.9 <= time.monotonic() - began < 1.6
    assert len(streaming.script.asked) == 2


def test_what_is_refused_for_good_half_way_is_not_asked_again(streaming: Either) -> None:
    streaming.script.answers["video_analysis_stream"] = lambda asked: broken_after(1, INVALID)
    with pytest.raises(InvalidRequest, match="TOP_K is 0"):
        streaming.all("stream")
    assert len(streaming.script.asked) == 1


def test_a_stream_lost_after_the_whole_is_whole(streaming: Either) -> None:
    streaming.script.answers["video_analysis_stream"] = lambda asked: broken_after(4, UNAVAILABLE)
    assert indices(streaming.all("stream")) == [0, 1, 2, "whole"]

    def lost_at_its_end(asked):
        yield from stream_of()
        raise UNAVAILABLE

    streaming.script.asked.clear()
    streaming.script.answers["video_analysis_stream"] = lost_at_its_end
    assert indices(streaming.all("stream")) == [0, 1, 2, "whole"]
    assert len(streaming.script.asked) == 1


@pytest.mark.parametrize("changed", ["TIMESTAMPS and PTS", "CHUNK_CAPTION_SCORES", "SCENE_TRACE"])
def test_another_checkpoint_does_not_go_on_with_the_first(streaming: Either, changed: str) -> None:
    def other():
        for answer in stream_of():
            if changed == "TIMESTAMPS and PTS":
                yield {**answer, "PTS": answer["PTS"] + 1}
            else:
                yield {**answer, changed: answer[changed] + np.float32(0.1)}

    streams = iter([broken_after(2, UNAVAILABLE), other()])
    streaming.script.answers["video_analysis_stream"] = lambda asked: next(streams)
    with pytest.raises(UnexpectedAnswer, match="chunk 0 is not what it was before"):
        streaming.all("stream")


def test_rounding_is_no_other_checkpoint(streaming: Either) -> None:
    def other():
        for answer in stream_of():
            yield {**answer, "SCENE_TRACE": answer["SCENE_TRACE"] + np.float32(1e-3)}

    streams = iter([broken_after(2, UNAVAILABLE), other()])
    streaming.script.answers["video_analysis_stream"] = lambda asked: next(streams)
    assert indices(streaming.all("stream")) == [0, 1, 2, "whole"]


def test_a_stream_whose_chunks_have_no_number(streaming: Either) -> None:
    def odd():
        yield {**one_chunk(0), "CHUNK_INDICES": np.array([-1], np.int32), **NOT_THE_WHOLE}

    streaming.script.answers["video_analysis_stream"] = lambda asked: odd()
    with pytest.raises(UnexpectedAnswer, match="chunk -1 came in place of chunk 0"):
        streaming.all("stream")


def test_a_stream_that_leaves_out_a_chunk(streaming: Either) -> None:
    def gap():
        yield {**one_chunk(0), "IS_AGGREGATE": np.array([False])}
        yield {**one_chunk(2), "IS_AGGREGATE": np.array([False])}

    streaming.script.answers["video_analysis_stream"] = lambda asked: gap()
    with pytest.raises(UnexpectedAnswer, match="chunk 2 came in place of chunk 1"):
        streaming.all("stream")


def test_a_whole_that_lacks_a_chunk(streaming: Either) -> None:
    def short():
        yield {**one_chunk(0), "IS_AGGREGATE": np.array([False])}
        yield {**whole_video(2), "IS_AGGREGATE": np.array([True])}

    streaming.script.answers["video_analysis_stream"] = lambda asked: short()
    with pytest.raises(UnexpectedAnswer, match="has 2 chunks, 1 came one by one"):
        streaming.all("stream")
