# SPDX-License-Identifier: Apache-2.0
"""The adapter to Triton: responses, streams, error statuses and cancelled requests."""

import importlib

import numpy as np
import pytest
from support.fake_triton import FINAL, InferenceRequest

from trireel_backend import errors
from trireel_backend.metrics.family import Family, Kind
from trireel_backend.triton.error_messages import error_of_message

STOPPING = "Server is stopping, scheduler for model has stopped accepting new inference requests"


@pytest.fixture
def adapter(triton):
    return importlib.import_module("trireel_backend.triton.adapter")


@pytest.fixture
def asked(triton, monkeypatch):
    """What other models are asked, each of which answers nothing."""
    calls = []

    class Asked:
        def __init__(self, **call):
            calls.append(call)

        async def async_exec(self):
            return triton.InferenceResponse([])

    monkeypatch.setattr(triton, "InferenceRequest", Asked, raising=False)
    return calls


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        ("NOT_FOUND: 'x' is not there", errors.VideoNotFound, "'x' is not there"),
        ("in ensemble 'chunk_encoder', INVALID_ARG: a: b", errors.InvalidInput, "a: b"),
        ("UNAVAILABLE: two\nlines", errors.Unavailable, "two\nlines"),
        ("Stub process is not healthy.", errors.StageFailed, "Stub process is not healthy."),
        (STOPPING, errors.Unavailable, STOPPING),
    ],
)
def test_an_error_of_another_model_keeps_its_status(message, kind, text):
    error = error_of_message(message)
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


async def test_an_answer_that_comes_later_is_sent_once(adapter, triton):
    request, wrong = InferenceRequest({}), InferenceRequest({})
    assert await adapter.answer_later(request, three) is None
    await adapter.answer_later(wrong, failing)
    (response, flags), last = request.sender.sent
    assert (response.arrays()["Y"].tolist(), flags, last) == ([2], 0, (None, FINAL))
    ((response, flags),) = wrong.sender.sent
    assert (response.error().code(), flags) == (triton.TritonError.NOT_FOUND, FINAL)


async def test_an_answer_that_finds_no_room_leaves_nobody_waiting(adapter, triton):
    request = InferenceRequest({})
    request.sender.has_room = False
    with pytest.raises(triton.TritonModelException, match="memory pool"):
        await adapter.answer_later(request, three)
    assert request.sender.sent == [(None, FINAL)]


class NotText(InferenceRequest):
    """Says something that is no UTF-8, which Triton's Python refuses to read."""

    def parameters(self):
        return b'{"x": "\xff"}'.decode()


class NotNamed(InferenceRequest):
    def correlation_id(self):
        return b"\xff".decode()


@pytest.mark.parametrize("request_type", [NotText, NotNamed])
async def test_what_is_no_text_is_refused_however_it_is_answered(adapter, triton, request_type):
    later, stream, batched = request_type({}), request_type({}), request_type({"X": [1]})
    await adapter.answer_later(later, three)
    await adapter.answer_stream(stream, three)
    good = InferenceRequest({"X": [2]})
    responses = [
        later.sender.sent[0][0],
        stream.sender.sent[0][0],
        *adapter.answer_each([request_type({})], lambda request: {}),
        *adapter.answer_together([batched, good], lambda request: request.required("X"), double),
    ]
    assert responses.pop().arrays()["Y"].tolist() == [4]
    for response in responses:
        assert response.error().code() == triton.TritonError.INVALID_ARG
        assert "is not UTF-8 text" in response.error().message()
    assert later.sender.closed
    assert stream.sender.closed


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


ARGS = {"model_name": "m", "model_instance_name": "m_0_1"}
EVENTS = Family("events_total", "Events.", label="kind", values=("a", "b"))
SIZE = Family("size_bytes", "Size.", Kind.GAUGE)
DURATION = Family("duration_seconds", "Duration.", Kind.HISTOGRAM, buckets=(1, 10))


def test_every_series_of_a_family_is_there_from_the_start(adapter, triton):
    adapter.export_metrics(ARGS, (EVENTS, SIZE, DURATION))
    made = triton.MetricFamily.made
    assert [series.labels for series in made["events_total"].series] == [
        {"model": "m", "model_instance": "m_0_1", "kind": "a"},
        {"model": "m", "model_instance": "m_0_1", "kind": "b"},
    ]
    assert made["size_bytes"].series[0].labels == {"model": "m", "model_instance": "m_0_1"}
    assert made["duration_seconds"].series[0].buckets == [1, 10]
    kinds = [made[family.name].kind for family in (EVENTS, SIZE, DURATION)]
    assert kinds == [
        triton.MetricFamily.COUNTER,
        triton.MetricFamily.GAUGE,
        triton.MetricFamily.HISTOGRAM,
    ]


def test_what_is_counted_reaches_its_series(adapter, triton):
    metrics = adapter.export_metrics(ARGS, (EVENTS, SIZE, DURATION))
    metrics.add(EVENTS, value="b")
    metrics.add(EVENTS, 2.5, value="b")
    metrics.set(SIZE, 7)
    metrics.set(SIZE, 7)
    metrics.observe(DURATION, 3.5)
    made = triton.MetricFamily.made
    assert [series.value for series in made["events_total"].series] == [0, 3.5]
    assert made["size_bytes"].series[0].value == 7
    assert made["duration_seconds"].series[0].observed == [3.5]


def test_a_count_that_fails_is_a_line_in_the_log(adapter, triton, logged_errors):
    metrics = adapter.export_metrics(ARGS, (EVENTS,))
    triton.MetricFamily.made["events_total"].series[0].broken = True
    metrics.add(EVENTS, value="a")
    assert "events_total was not counted: the parent does not answer" in logged_errors[0]


def test_metrics_that_cannot_be_had_stop_nothing(adapter, triton, logged_errors, monkeypatch):
    def refused(name, **_):
        raise triton.TritonModelException(f"no {name}")

    refused.COUNTER = 0
    monkeypatch.setattr(triton, "MetricFamily", refused)
    metrics = adapter.export_metrics(ARGS, (EVENTS,))
    metrics.add(EVENTS, value="a")
    assert logged_errors == ["own metrics are not exported: no events_total"]


class Traced(InferenceRequest):
    def trace(self):
        return "the request's trace"


async def test_what_a_unary_request_asks_of_other_models_is_traced_with_it(adapter, asked):
    async def answers(_request):
        yield await adapter.call_model("other", {}, ["Y"])

    await adapter.answer_once(Traced({}), answers)
    await adapter.answer_once(InferenceRequest({}), answers)
    assert [call.get("trace") for call in asked] == ["the request's trace", None]


async def test_a_trace_that_ends_before_the_answer_is_let_alone(adapter, asked):
    async def answers(_request):
        yield await adapter.call_model("other", {}, ["Y"])

    await adapter.answer_stream(Traced({}), answers)
    await adapter.answer_later(Traced({}), answers)
    assert ["trace" in call for call in asked] == [False, False]
