# SPDX-License-Identifier: Apache-2.0
"""Sending the only response to a request, in the way that Triton 2.51 survives."""

from collections.abc import Callable
from typing import Any


def send_to_model(
    sender: Any, response: Any, final: int, error_response: Callable[[Exception], Any]
) -> None:
    """Send the only response to another model of this server.

    The flag goes with it: a second, empty response crashes the calling model in Triton 2.51. If the
    response does not fit into /dev/shm, an error does.

    Args:
        final: flag of the last response.
        error_response: makes the response for an error.
    """
    try:
        sender.send(response, flags=final)
    except Exception as error:
        sender.send(error_response(error), flags=final)


def send_only(sender: Any, response: Any, final: int) -> None:
    """Send the only response to a client's request.

    Args:
        final: flag of the last response.
    """
    if response.has_error():  # without the flag, Triton's gRPC takes it for an empty answer
        sender.send(response, flags=final)
        return
    try:
        sender.send(response)
    finally:
        # Sent separately: a response that does not fit into /dev/shm is lost with its flag, and the
        # client would wait forever.
        sender.send(flags=final)
