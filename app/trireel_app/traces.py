# SPDX-License-Identifier: Apache-2.0
"""Traces by OpenTelemetry, if the environment names a collector."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from trireel_app.errors import InvalidOption
from trireel_client import in_trace

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the environment names a collector."""
    return any(environment.get(name) for name in ENDPOINTS)


def start(service: str) -> None:
    """Send the spans of this process to the collector of the environment, if it names one.

    The standard variables of OpenTelemetry choose the address, the sampling and further facts.

    Raises:
        InvalidOption: if the packages for it are not installed.
    """
    if not is_wanted():
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise InvalidOption(
            f"{ENDPOINTS[0]} asks for traces: install trireel-app[gateway,traces]"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def current() -> str:
    """Return the `traceparent` of the span of this task, empty if there is none."""
    try:
        from opentelemetry.propagate import inject
    except ImportError:
        return ""
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def span(name: str, parent: str) -> Iterator[None]:
    """Make a span that belongs to a trace begun elsewhere, for all requests to servers within.

    Args:
        name: name of the span.
        parent: `traceparent` of the span that it belongs to; empty for a trace of its own.
    """
    if not is_wanted():
        with in_trace(parent):  # the servers may send their spans all the same
            yield
        return
    from opentelemetry import trace
    from opentelemetry.propagate import extract

    context = extract({"traceparent": parent})
    with trace.get_tracer("trireel").start_as_current_span(name, context), in_trace(current()):
        yield
