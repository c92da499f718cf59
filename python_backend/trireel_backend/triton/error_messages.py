# SPDX-License-Identifier: Apache-2.0
"""Errors that come back from calls of other models, where Triton 2.51 drops the status."""

import re

from trireel_backend.errors import (
    REQUEST_ERRORS_BY_STATUS,
    RequestError,
    StageFailed,
    Unavailable,
)

_STOPPING = "Server is stopping"  # start of Triton's own error message while it shuts down
_MESSAGE_WITH_STATUS = re.compile(
    rf"(?:in ensemble '[^']*', )?({'|'.join(REQUEST_ERRORS_BY_STATUS)}): (.*)", re.DOTALL
)


def error_of_message(message: str) -> RequestError:
    """Return the error that another model of this server reported."""
    match = _MESSAGE_WITH_STATUS.fullmatch(message)
    if match is None:
        return Unavailable(message) if _STOPPING in message else StageFailed(message)
    return REQUEST_ERRORS_BY_STATUS[match[1]](match[2])


def message_of_error(error: RequestError, *, with_status: bool) -> str:
    """Return the message of an error as UTF-8 text, which a path in it need not be.

    Args:
        with_status: True to put the status in front of it, for another model of this server.
    """
    message = f"{error.status}: {error}" if with_status else str(error)
    return message.encode("utf-8", "backslashreplace").decode()
