# SPDX-License-Identifier: Apache-2.0
"""The spans that Triton itself sends, by OTLP, to a receiver on loopback."""

import time
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from support.app_process import app_process
from support.otlp import receiver
from support.raw import Raw, number, video

from trireel_app.engine.database import open_database
from trireel_app.gateway.access.keys import KeyStore
from trireel_backend.launch.embedded import server as embedded
from trireel_client import ServerPath, TrireelClient, in_trace

from . import conftest

TRACING = (
    "mode=opentelemetry",
    "opentelemetry,resource=service.name=trireel",
    "opentelemetry,bsp_schedule_delay=100",
    "rate=1",
    "level=TIMESTAMPS",
)


@pytest.fixture(scope="module")
def traces():
    with receiver() as traces:
        yield traces


@pytest.fixture(scope="module")
def traced_server(media, traces, tmp_path_factory):
    """A server that traces every request with its steps."""
    with traced(media, traces, tmp_path_factory.mktemp("traced"), trace_steps="true") as server:
        yield server


@contextmanager
def traced(media, traces, folder, **parameters):
    """Serve with a tritonserver that is a script, which adds the flags for traces."""
    wheel = embedded.find_wheel()
    flags = " ".join(
        f"--trace-config='{one}'" for one in (*TRACING, f"opentelemetry,url={traces.url}")
    )
    script = folder / "tritonserver"
    script.write_text(f'#!/bin/sh\nexec {wheel.server} "$@" {flags}\n')
    script.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "find_wheel", lambda: replace(wheel, server=script))
        with conftest.served(media, folder, parameters) as server:
            yield server


def name_of(span):
    """Return the model of a span, or its own name."""
    models = [one.value.string_value for one in span.attributes if one.key == "triton.model_name"]
    return models[0] if models else span.name


def spans_of(traces, root_model, seconds=15.0):
    """Return the spans of the newest trace that has a span of a model, once it is whole."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        spans = traces.spans()
        ids = [span.trace_id for span in spans if name_of(span) == root_model]
        trace = [span for span in spans if ids and span.trace_id == ids[-1]]
        if any(not span.parent_span_id for span in trace):  # the root ends, and is sent, last
            return trace
        time.sleep(0.05)
    raise AssertionError(f"no whole trace of {root_model}")


def parents(trace):
    """Return how often each model was called by each."""
    by_id = {span.span_id: span for span in trace}
    return Counter(
        (name_of(by_id[span.parent_span_id]), name_of(span))
        for span in trace
        if span.parent_span_id and name_of(span) != "compute"
    )


def test_a_whole_video_is_one_trace_with_all_its_steps(traced_server, traces):
    with TrireelClient(traced_server.grpc_url) as client:
        analysis = client.analyze(ServerPath("sample.mp4"), tags=["a dog"])
    trace = spans_of(traces, "video_analysis")
    assert traces.services() == {"trireel"}
    calls = parents(trace)
    encoded = calls["video_analysis", "chunk_encoder"]
    assert 1 <= encoded <= analysis.num_chunks
    assert calls == {
        ("InferRequest", "video_analysis"): 1,
        ("video_analysis", "frame_extractor"): 1,  # the look
        ("video_analysis", "siglip_text"): 1,
        ("video_analysis", "chunk_encoder"): encoded,
        ("chunk_encoder", "frame_extractor"): encoded,
        ("chunk_encoder", "siglip_vision"): encoded,
        ("video_analysis", "temporal_decoder"): analysis.num_chunks,
    }


def test_a_span_lies_within_its_parent_and_tells_queue_from_computing(traced_server, traces):
    with TrireelClient(traced_server.grpc_url) as client:
        client.analyze(ServerPath("clip.mp4"))
    trace = spans_of(traces, "video_analysis")
    by_id = {span.span_id: span for span in trace}
    whole = next(span for span in trace if name_of(span) == "video_analysis")
    for span in trace:
        parent = by_id.get(span.parent_span_id)
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        if parent is not None and parent.parent_span_id:
            assert whole.start_time_unix_nano <= span.start_time_unix_nano
    events = {event.name for span in trace if span.name == "compute" for event in span.events}
    assert {"COMPUTE_START", "COMPUTE_END"} <= events
    assert "QUEUE_START" in {event.name for event in whole.events}


def test_a_chunk_of_a_sequence_is_traced_with_its_steps(traced_server, traces):
    raw = Raw(traced_server, "grpc")
    chunk = video("clip.mp4", CHUNK_SECONDS=number("FP64", 2.0))
    sequence = {"sequence_id": uuid.uuid4().hex, "sequence_start": True, "sequence_end": True}
    raw.infer("video_chunk", chunk, **sequence)
    raw.close()
    assert parents(spans_of(traces, "video_chunk")) == {
        ("InferRequest", "video_chunk"): 1,
        ("video_chunk", "frame_extractor"): 1,
        ("video_chunk", "siglip_vision"): 1,
        ("video_chunk", "temporal_decoder"): 1,
    }


def test_a_streamed_video_has_a_span_of_its_own_and_the_server_lives(traced_server, traces):
    with TrireelClient(traced_server.grpc_url) as client:
        for _ in range(3):
            *_, whole = client.stream(ServerPath("clip.mp4"))
            assert whole.num_chunks == 2
        assert client.analyze(ServerPath("clip.mp4")).num_chunks == 2
    assert parents(spans_of(traces, "video_analysis_stream")) == {
        ("InferRequest", "video_analysis_stream"): 1
    }


def test_without_its_steps_a_whole_video_has_a_span_of_its_own(media, traces, tmp_path):
    with traced(media, traces, tmp_path) as server, TrireelClient(server.grpc_url) as client:
        for _ in range(3):
            assert client.analyze(ServerPath("clip.mp4")).num_chunks == 2
        own = parents(spans_of(traces, "video_analysis"))
    assert own == {("InferRequest", "video_analysis"): 1}


def test_the_context_that_a_caller_sends_is_the_traces_own(traced_server, traces):
    trace_id = uuid.uuid4().bytes
    raw = Raw(traced_server, "grpc")
    headers = {"traceparent": f"00-{trace_id.hex()}-{'5' * 16}-01"}
    raw.infer("video_analysis", video("clip.mp4"), headers=headers)
    raw.close()
    deadline = time.monotonic() + 15
    while "video_analysis" not in (
        found := {name_of(span) for span in traces.spans() if span.trace_id == trace_id}
    ):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    assert "temporal_decoder" in found


def test_the_clients_requests_belong_to_the_trace_that_is_named(traced_server, traces):
    trace_id = uuid.uuid4().bytes
    with TrireelClient(traced_server.grpc_url) as client:
        with in_trace(f"00-{trace_id.hex()}-{'5' * 16}-01"):
            client.analyze(ServerPath("clip.mp4"))
        client.analyze(ServerPath("clip.mp4"))

    def names():
        return {name_of(span) for span in traces.spans() if span.trace_id == trace_id}

    wait_until(lambda: {"video_analysis", "temporal_decoder"} <= names(), 30)
    roots = [s for s in traces.spans() if s.trace_id == trace_id and name_of(s) == "video_analysis"]
    assert len(roots) == 1


def test_an_upload_and_its_analysis_are_one_trace(traced_server, traces, tmp_path):
    """From the gateway's request to the worker; Triton drops the context of some streams."""
    place = [f"--database={tmp_path}/jobs.sqlite", f"--url={traced_server.grpc_url}"]
    environment = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": traces.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "TRIREEL_LIBRARY": str(tmp_path / "library"),
        "TRIREEL_UPLOADS": str(tmp_path / "uploads"),
    }
    gateway = app_process("gateway", "--port=0", *place, folder=tmp_path, **environment)
    worker = app_process("worker", *place, folder=tmp_path, **environment)
    with gateway as (_, url), worker:
        key = KeyStore(open_database(f"{tmp_path}/jobs.sqlite")).create("anna")
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            sent = client.post("/v1/videos", files={"file": conftest.SAMPLE.read_bytes()}).json()
            wait_until(lambda: client.get(sent["links"]["self"]).json()["state"] == "done", 120)
        wait_until(lambda: "analyse video" in names_with_upload(traces), 30)
    assert {"trireel", "trireel-gateway", "trireel-worker"} <= traces.services()


def names_with_upload(traces):
    """Return the names of the spans that are in the trace of a submitted video."""
    spans = traces.spans()
    ids = {span.trace_id for span in spans if span.name == "POST /v1/videos"}
    return {name_of(span) for span in spans if span.trace_id in ids}


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
