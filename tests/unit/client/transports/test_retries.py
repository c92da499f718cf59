# SPDX-License-Identifier: Apache-2.0
"""How long the client waits before it asks again."""

import tenacity

from trireel_client import Retry, ServerFull, ServerUnavailable, TrireelError
from trireel_client._transports.wire import retry_arguments

MANY = 200


def waits(error: TrireelError, attempt: int = 1, retry: Retry | None = None) -> list[float]:
    """Return pauses as they come out by chance, after so many attempts."""
    arguments = retry_arguments(retry or Retry(), repeatable=True, within_seconds=600.0)
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    state.attempt_number = attempt
    state.set_exception((type(error), error, None))
    return [arguments["wait"](state) for _ in range(MANY)]


def told(seconds: float) -> ServerFull:
    error = ServerFull("the server is full")
    error.retry_after_seconds = seconds
    return error


def test_a_server_that_is_not_there_is_asked_again_soon() -> None:
    pauses = waits(ServerUnavailable("nobody listens"))
    assert max(pauses) <= 0.2
    assert max(waits(ServerUnavailable("nobody listens"), attempt=9)) <= 5.0


def test_a_full_server_is_given_more_time() -> None:
    pauses = waits(ServerFull("full"))
    assert 0.2 < max(pauses) <= 1.0
    assert min(pauses) < 0.5  # not all clients at once
    assert 1.0 < max(waits(ServerFull("full"), attempt=4)) <= 8.0
    assert max(waits(ServerFull("full"), attempt=20)) <= 60.0


def test_a_hint_is_kept_to_and_spread() -> None:
    pauses = waits(told(12.0))
    assert min(pauses) >= 12.0
    assert max(pauses) <= 12.0 * 1.25 + 0.2
    assert max(pauses) - min(pauses) > 1.0


def test_a_hint_of_nothing_is_one() -> None:
    assert max(waits(told(0.0))) <= 0.2


def test_a_far_hint_is_followed_so_far() -> None:
    pauses = waits(told(3600.0), retry=Retry(longest_hint_seconds=10.0))
    assert 10.0 <= min(pauses) < max(pauses) <= 12.7
