# SPDX-License-Identifier: Apache-2.0
"""Everything the server side raises on purpose.

TrireelError
├── RequestError            refused or failed: answered to the one request it belongs to
│   ├── InvalidInput        a value, shape or file the request should not have sent
│   │   ├── NotAVideo       the file holds no picture we can decode
│   │   ├── TooMuchWork     more pixels, or more time, than a video may cost
│   │   ├── DecoderCrashed  the decoding process died of the file
│   │   ├── OutsideMediaFolder
│   │   ├── SourceRefused   an address, a host or a redirect that is not followed
│   │   ├── SourceTooLarge
│   │   └── AccessDenied    the source wants credentials, or others
│   ├── VideoNotFound
│   ├── Unsupported         understood, but not something this server does
│   ├── Unavailable         try again later
│   │   └── Full            as much is under way and waits as may
│   ├── Cancelled           the client has gone away
│   └── StageFailed         another model of the pipeline failed on its own account
└── StartupError            the server cannot start
    ├── MissingPart         a library, a file or a wheel is not there
    ├── PortBusy
    ├── NotReady            Triton ended or hung before its models were ready
    ├── CanaryFailed        the models answer, but not with what the checkpoint says
    └── GateFailed          a tower of reduced precision, or an engine, lost accuracy
"""

from typing import ClassVar


class TrireelError(Exception):
    """Base of all errors Trireel raises on purpose; its message is one sentence for a person."""


class RequestError(TrireelError):
    """A request that gets an error response; nothing else is disturbed."""

    status: ClassVar[str] = "INTERNAL"
    """Name of the code in Triton's `TritonError`; gRPC and HTTP statuses follow from it."""


class InvalidInput(RequestError):
    """The request holds a value, a shape or a file it should not."""

    status = "INVALID_ARG"


class NotAVideo(InvalidInput):
    """The file holds no video or picture that can be decoded."""


class TooMuchWork(InvalidInput):
    """The video, or what is asked of it, takes more than the operator allows."""


class DecoderCrashed(InvalidInput):
    """The process that decoded the file died of it; another one has taken its place."""


class OutsideMediaFolder(InvalidInput):
    """The path leads out of the folders this server may read."""


class SourceRefused(InvalidInput):
    """The URI leads where this server does not go."""


class SourceTooLarge(InvalidInput):
    """The video has more bytes than the operator allows."""


class AccessDenied(InvalidInput):
    """The video's source does not give it to this server."""


class VideoNotFound(RequestError):
    """There is no such file."""

    status = "NOT_FOUND"


class Unsupported(RequestError):
    """A valid request for something this server does not do."""

    status = "UNSUPPORTED"


class Unavailable(RequestError):
    """The server cannot take the request now; a later try may succeed."""

    status = "UNAVAILABLE"


class Full(Unavailable):
    """As much is under way and waits as may: refused at once, before any work."""


class Cancelled(RequestError):
    """Nobody waits for the answer any more."""

    status = "CANCELLED"


class StageFailed(RequestError):
    """A model of the pipeline failed for a reason the request did not give."""


REQUEST_ERRORS_BY_STATUS: dict[str, type[RequestError]] = {
    error.status: error
    for error in (StageFailed, InvalidInput, VideoNotFound, Unsupported, Unavailable, Cancelled)
}
"""The general error of each status, to raise again what another model answered."""


class StartupError(TrireelError):
    """The server cannot start."""


class MissingPart(StartupError):
    """A library, a file or a wheel that the server needs is not there."""


class PortBusy(StartupError):
    """Another process listens on a port the server was told to use."""


class NotReady(StartupError):
    """Triton ended, or did not become ready in time."""


class CanaryFailed(StartupError):
    """The models are loaded but do not answer with what the checkpoint says."""


class GateFailed(StartupError):
    """Do not serve this tower: take a higher precision, or another build."""
