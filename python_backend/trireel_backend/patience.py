# SPDX-License-Identifier: Apache-2.0
"""Calls from model to model that a full queue does not fail.

Triton has one queue a model, for clients and for the other models alike. A video that has been let
in does not fail because clients have filled the queue of a model it needs: the call was not begun,
and is made again until there is room.
"""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_before_delay
from tenacity.wait import wait_random_exponential

from trireel_backend.errors import Full, Unavailable

FIRST_WAIT_SECONDS = 0.02  # upper bound of a random wait, doubled each time
LONGEST_WAIT_SECONDS = 0.25
PATIENCE_SECONDS = 120.0

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def patient(
    call: Callable[Arguments, Coroutine[Any, Any, Answer]], *, seconds: float = PATIENCE_SECONDS
) -> Callable[Arguments, Coroutine[Any, Any, Answer]]:
    """Return a call that is made again while it ends with `Full`.

    Args:
        call: `adapter.call_model`.
        seconds: how long; a model that was full all that time makes the call raise Unavailable.
    """

    async def patient_call(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(Full),
            wait=wait_random_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
            stop=stop_before_delay(seconds),
            reraise=True,
        )
        try:
            return await attempts(call, *arguments, **named)
        except Full as error:
            raise Unavailable(
                f"a model of this server was full for {seconds:g} s: ask again later, or ask"
                f" another server ({error})"
            ) from error

    return patient_call
