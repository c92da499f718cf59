# SPDX-License-Identifier: Apache-2.0
"""The errors of the gateway, each with its HTTP status; all are sent in one shape.

    {"error": {"status": 404, "kind": "NotFound", "message": "there is no video 12ab"}}

HttpFailure
├── BadRequest         400  the request cannot be understood
├── NotAuthenticated   401  no key, or a key that is not valid
├── Forbidden          403  a scope is missing, or the request came from another site
├── NotFound           404  there is no such thing, or it is another owner's
├── Conflict           409  the state of the thing does not allow it
├── TooLarge           413  a body or a file is larger than allowed
├── UnsupportedType    415  the content is not of an allowed type
├── RangeNotAvailable  416  the range of bytes is outside of the file
├── Invalid            422  a field has a value that is not allowed
├── TooManyRequests    429  a limit or a quota is used up
├── Locked             423  another request writes the same upload
├── InternalError      500  a fault of the gateway, which its log has in full
├── Unavailable        503  a server or the database does not answer
└── StorageFull        507  there is no room for the file
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from trireel_app.errors import AppError


class HttpFailure(AppError):
    """Base of the gateway's errors; its message is one sentence for a person."""

    status: ClassVar[int] = 500
    """HTTP status of the answer."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that belong to the answer."""
        if self.retry_after_seconds is None:
            return {}
        return {"Retry-After": str(max(1, round(self.retry_after_seconds + 0.5)))}


class BadRequest(HttpFailure):
    """The request cannot be understood."""

    status = 400


class NotAuthenticated(HttpFailure):
    """The request has no key, or one that is not valid."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that belong to the answer."""
        return {**super().headers, "WWW-Authenticate": "Bearer"}


class Forbidden(HttpFailure):
    """A scope is missing, or the request came from another site."""

    status = 403


class NotFound(HttpFailure):
    """There is no such thing, or it is another owner's."""

    status = 404


class Conflict(HttpFailure):
    """The state of the thing does not allow it."""

    status = 409


class TooLarge(HttpFailure):
    """A body or a file is larger than allowed."""

    status = 413


class UnsupportedType(HttpFailure):
    """The content is not of an allowed type."""

    status = 415


class RangeNotAvailable(HttpFailure):
    """The range of bytes is outside of the file."""

    status = 416


class Invalid(HttpFailure):
    """A field has a value that is not allowed."""

    status = 422


class TooManyRequests(HttpFailure):
    """A limit or a quota is used up."""

    status = 429


class Locked(HttpFailure):
    """Another request writes the same upload."""

    status = 423


class InternalError(HttpFailure):
    """A fault of the gateway; the log has it in full."""


class Unavailable(HttpFailure):
    """A server or the database does not answer."""

    status = 503


class StorageFull(HttpFailure):
    """There is no room for the file."""

    status = 507


def error_json(status: int, kind: str, message: str) -> Mapping[str, Any]:
    """Return the body of an error."""
    return {"error": {"status": status, "kind": kind, "message": message}}
