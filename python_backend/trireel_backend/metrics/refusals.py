# SPDX-License-Identifier: Apache-2.0
"""Requests that are answered with an error, counted by status."""

from collections.abc import Iterator
from contextlib import contextmanager

from trireel_backend.errors import REQUEST_ERRORS_BY_STATUS, RequestError
from trireel_backend.metrics.family import Family, Metrics

REFUSALS = Family(
    "trireel_refusals_total",
    "Requests that were answered with an error, by Triton's name of its status.",
    label="status",
    values=tuple(REQUEST_ERRORS_BY_STATUS),
)


@contextmanager
def refusals_counted(metrics: Metrics) -> Iterator[None]:
    """Count an exception of the context by its status, and raise it again."""
    try:
        yield
    except Exception as error:
        metrics.add(REFUSALS, value=status_of(error))
        raise


def status_of(error: Exception) -> str:
    """Return Triton's name of the status with which an error is answered."""
    return error.status if isinstance(error, RequestError) else "INTERNAL"
