# SPDX-License-Identifier: Apache-2.0
"""The trace that requests belong to, as W3C's Trace Context writes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "traceparent"
_PARENT: ContextVar[str] = ContextVar(HEADER, default="")


@contextmanager
def in_trace(traceparent: str) -> Iterator[None]:
    """Let the server's spans of all requests within belong to a trace of the caller's.

    It holds for the task or thread that enters it, and for tasks that begin within.

    Args:
        traceparent: value of that header, such as `00-<32 digits>-<16 digits>-01`; empty for none.
    """
    token = _PARENT.set(traceparent)
    try:
        yield
    finally:
        _PARENT.reset(token)


def trace_headers() -> Mapping[str, str]:
    """Return the header of the trace that requests belong to, nothing if there is none."""
    parent = _PARENT.get()
    return {HEADER: parent} if parent else {}
