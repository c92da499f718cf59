# SPDX-License-Identifier: Apache-2.0
"""Everything the server side raises on purpose.

TrireelError
├── RequestError            rejected or failed: the response to one request
│   ├── InvalidInput        a value, shape or file that is not allowed
│   │   ├── NotAVideo       the file holds no picture that can be decoded
│   │   ├── TooMuchWork     the video takes more pixels or time than the limits allow
│   │   ├── DecoderCrashed  the decoding process crashed on the file
│   │   ├── OutsideMediaFolder
│   │   ├── SourceRefused   an address, host or redirect that the server does not follow
│   │   ├── SourceTooLarge
│   │   └── AccessDenied    the source requires other credentials, or any at all
│   ├── VideoNotFound
│   ├── Unsupported         a valid request that this server does not support
│   ├── Unavailable         try again later
│   │   └── Full            all slots are taken and the waiting room is full
│   ├── Cancelled           the client has gone away
│   └── StageFailed         another model of the pipeline failed by no fault of the request
└── StartupError            the server cannot start
    ├── MissingPart         a library, a file or a wheel is missing
    ├── PortBusy
    ├── NotReady            Triton ended or hung before its models were ready
    ├── CanaryFailed        the models answer, but not as the checkpoint does
    └── GateFailed          a tower of reduced precision, or an engine, lost accuracy
"""

from typing import ClassVar


class TrireelError(Exception):
    """Base of all errors Trireel raises on purpose; its message is one sentence for a person."""


class RequestError(TrireelError):
    """A request that gets an error response; no other request is affected."""

    status: ClassVar[str] = "INTERNAL"
    """Name of the code in Triton's `TritonError`; gRPC and HTTP statuses follow from it."""


class InvalidInput(RequestError):
    """The request holds a value, a shape or a file that is not allowed."""

    status = "INVALID_ARG"


class NotAVideo(InvalidInput):
    """The file holds no video or picture that can be decoded."""


class TooMuchWork(InvalidInput):
    """The video, or the work requested of it, exceeds the operator's limits."""


class DecoderCrashed(InvalidInput):
    """The process that decoded the file crashed on it; a new process has replaced it."""


class OutsideMediaFolder(InvalidInput):
    """The path leads out of the folders this server may read."""


class SourceRefused(InvalidInput):
    """The URI leads to a place that this server does not fetch from."""


class SourceTooLarge(InvalidInput):
    """The video has more bytes than the operator's limit."""


class AccessDenied(InvalidInput):
    """The video's source denies this server access."""


class VideoNotFound(RequestError):
    """There is no such file."""

    status = "NOT_FOUND"


class Unsupported(RequestError):
    """A valid request that this server does not support."""

    status = "UNSUPPORTED"


class Unavailable(RequestError):
    """The server cannot accept the request now; a retry may succeed."""

    status = "UNAVAILABLE"


class Full(Unavailable):
    """All slots are taken and the waiting room is full: rejected immediately, before any work."""


class Cancelled(RequestError):
    """The client no longer waits for the response."""

    status = "CANCELLED"


class StageFailed(RequestError):
    """A model of the pipeline failed by no fault of the request."""


REQUEST_ERRORS_BY_STATUS: dict[str, type[RequestError]] = {
    error.status: error
    for error in (StageFailed, InvalidInput, VideoNotFound, Unsupported, Unavailable, Cancelled)
}
"""The general error of each status, to raise again an error that another model returned."""


class StartupError(TrireelError):
    """The server cannot start."""


class MissingPart(StartupError):
    """A library, a file or a wheel that the server needs is missing."""


class PortBusy(StartupError):
    """Another process listens on a port that the server is configured to use."""


class NotReady(StartupError):
    """Triton ended, or did not become ready in time."""


class CanaryFailed(StartupError):
    """The models are loaded, but their answers differ from the checkpoint's."""


class GateFailed(StartupError):
    """A tower is not accurate enough to serve: use a higher precision, or another build."""
