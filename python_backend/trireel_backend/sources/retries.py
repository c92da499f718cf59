# SPDX-License-Identifier: Apache-2.0
"""Retries of requests whose failure may be temporary."""

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from trireel_backend.errors import Unavailable
from trireel_backend.sources.limits import Deadline

ATTEMPTS = 4
FIRST_WAIT_SECONDS = 0.25  # doubled each time
JITTER_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 20.0  # even if the source demands more

_backoff = wait_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS) + wait_random(
    0, JITTER_SECONDS
)


class TryAgain(Unavailable):
    """The source failed in a way that may be temporary; the request's error after all retries."""

    def __init__(self, message: str, *, after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds  # shortest wait that the source demands


def retrying(deadline: Deadline) -> Retrying:
    """Return tenacity's loop over attempts, which retries only after `TryAgain`."""
    return Retrying(
        retry=retry_if_exception_type(TryAgain),
        stop=stop_after_attempt(ATTEMPTS),
        wait=_wait,
        sleep=deadline.sleep,
        reraise=True,
    )


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    retry_after = error.after_seconds if isinstance(error, TryAgain) else 0.0
    return min(max(_backoff(state), retry_after), LONGEST_WAIT_SECONDS)
