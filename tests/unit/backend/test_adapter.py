# SPDX-License-Identifier: Apache-2.0
import importlib

import numpy as np
import pytest
from support.fake_triton import FINAL, InferenceRequest

from trireel_backend import errors


@pytest.fixture
def adapter(triton):
    return importlib.import_module("trireel_backend.adapter")


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        ("NOT_FOUND: 'x' is not there", errors.VideoNotFound, "'x' is not there"),
        ("in ensemble 'chunk_encoder', INVALID_ARG: a: b", errors.InvalidInput, "a: b"),
        ("UNAVAILABLE: two\nlines", errors.Unavailable, "two\nlines"),
        ("Stub process is not healthy.", errors.StageFailed, "Stub process is not healthy."),
    ],
)
def test_an_error_of_another_model_keeps_its_status(adapter, message, kind, text):
    error = adapter._raised_again(message)
    assert type(error) is kind
    assert str(error) == text


def test_every_status_is_one_of_tritons(adapter, triton):
    for status in errors.REQUEST_ERRORS_BY_STATUS:
        assert isinstance(getattr(triton.TritonError, status), int)


def double(parts):
    return ({"Y": part * 2} for part in parts)


def test_a_bad_request_is_refused_before_the_joint_call(adapter):
    requests = [InferenceRequest({"X": [1]}), InferenceRequest({}), InferenceRequest({"X": [3]})]
    seen = []

    def run(parts):
        seen.append(len(parts))
        return double(parts)

    responses = adapter.answer_together(requests, lambda request: request.required("X"), run)
    assert seen == [2]
    assert [r.has_error() for r in responses] == [False, True, False]
    assert responses[2].arrays()["Y"].tolist() == [6]


def test_no_good_request_is_no_joint_call(adapter):
    responses = adapter.answer_together(
        [InferenceRequest({})], lambda request: request.required("X"), pytest.fail
    )
    assert responses[0].has_error()


def test_a_failing_joint_call_fails_each_request_by_itself(adapter, logged_errors):
    def run(parts):
        raise RuntimeError("boom")

    responses = adapter.answer_together([InferenceRequest({"X": [1]})] * 2, lambda r: r, run)
    assert ["internal error" in r.error().message() for r in responses] == [True, True]
    assert "boom" in logged_errors[0]


async def three(request):
    for value in range(3):
        yield {"Y": np.array([value])}


async def failing(request):
    yield {"Y": np.array([0])}
    raise errors.VideoNotFound("gone")


async def test_a_unary_answer_is_the_last(adapter):
    response = await adapter.answer_once(InferenceRequest({}), three)
    assert response.arrays()["Y"].tolist() == [2]


async def test_a_stream_ends_with_a_final_flag(adapter):
    request = InferenceRequest({})
    await adapter.answer_stream(request, three)
    assert [flags for _, flags in request.sender.sent] == [0, 0, 0, FINAL]


async def test_a_stream_that_fails_ends_with_its_error(adapter, triton):
    request = InferenceRequest({})
    await adapter.answer_stream(request, failing)
    response, flags = request.sender.sent[-1]
    assert flags == FINAL
    assert response.error().code() == triton.TritonError.NOT_FOUND


async def test_a_stream_nobody_listens_to_stops(adapter):
    request = InferenceRequest({})
    closed = []

    async def endless(_request):
        try:
            while True:
                request.sender.cancelled = len(request.sender.sent) == 2
                yield {"Y": np.array([0])}
        finally:
            closed.append(True)

    await adapter.answer_stream(request, endless)
    assert [flags for _, flags in request.sender.sent] == [0, 0, FINAL]
    assert closed == [True]


async def test_a_unary_request_nobody_waits_for_stops(adapter, triton):
    request = InferenceRequest({})
    request.sender.cancelled = True
    closed = []

    async def endless(_request):
        try:
            while True:
                yield {"Y": np.array([0])}
        finally:
            closed.append(True)

    response = await adapter.answer_once(request, endless)
    assert response.error().code() == triton.TritonError.CANCELLED
    assert closed == [True]


def test_a_refusal_stays_what_it_is_when_the_joint_call_fails(adapter, triton):
    def run(parts):
        raise RuntimeError("boom")

    requests = [InferenceRequest({}), InferenceRequest({"X": [1]})]
    responses = adapter.answer_together(requests, lambda request: request.required("X"), run)
    assert responses[0].error().code() == triton.TritonError.INVALID_ARG
    assert responses[1].error().code() == triton.TritonError.INTERNAL
