# SPDX-License-Identifier: Apache-2.0
"""The errors that this package raises; their names say what the caller can do.

TrireelError
├── SourceError             the video cannot be sent; no request was made
│   ├── SourceNotFound      no such local file
│   ├── EmptySource         the file or the bytes are empty
│   ├── UnreadableSource    a folder, or a file this user may not read
│   └── SourceTooLarge      too large for one message: let the server read it
├── RequestError            the request got no answer, or was rejected
│   ├── ServerUnavailable   no server listens, or it is full or stopping: try again later
│   │   ├── ServerFull      accepts no more for now: retry when it says, or on another server
│   │   └── SequenceLost    the server with a video's state is gone: step through it from the start
│   ├── RequestTimeout      no answer in time: give it longer, or less to do
│   ├── RequestCancelled    ended before the answer, by either side
│   ├── InvalidRequest      a value, a file or a path is not accepted: change it
│   ├── NotAllowed          the server, or a proxy before it, requires other credentials
│   ├── TlsFailed           a certificate is not trusted, or only one side uses TLS: change `tls`
│   ├── NotFound            the server has no such video or model
│   ├── Unsupported         a valid request that this server or protocol does not support
│   └── ServerError         the server failed; the request did not cause it
├── UnexpectedAnswer        the answer is not one that docs/tensors.md describes
├── ClipsNotWritten         the folder or bucket does not take the clips: give another place
├── InvalidAddress          `url` is not HOST:PORT
├── InvalidTls              a file of `tls` is missing or cannot be used
├── ClientBusy              this client already has an open stream
└── ClientClosed            the client was closed before the call
"""


class TrireelError(Exception):
    """Base of all errors of this package; its message is one sentence for a person."""


class SourceError(TrireelError):
    """The video cannot be sent; no request was made."""


class SourceNotFound(SourceError):
    """There is no such file on this machine."""


class EmptySource(SourceError):
    """The file or the bytes are empty."""


class UnreadableSource(SourceError):
    """The path is a folder, or a file that cannot be read."""


class SourceTooLarge(SourceError):
    """The file does not fit into one message; the server has to read it itself."""


class RequestError(TrireelError):
    """The request got no answer, or was rejected."""


class ServerUnavailable(RequestError):
    """No server listens at the address, or it is full or stopping; a later try may succeed."""

    retry_after_seconds: float | None = None
    """Seconds after which to retry, if the server or a proxy said so; otherwise None."""


class ServerFull(ServerUnavailable):
    """The server runs, but has as many requests in flight and waiting as it accepts."""


class SequenceLost(ServerUnavailable):
    """The server that held a sequence's state is gone, or has dropped the state: start again."""


class RequestTimeout(RequestError):
    """No answer came in the time allowed."""


class RequestCancelled(RequestError):
    """The request was cancelled before its answer."""


class InvalidRequest(RequestError):
    """A value, a file or a path in the request is not accepted."""


class NotAllowed(RequestError):
    """The server, or a proxy before it, does not accept this client's credentials."""


class TlsFailed(RequestError):
    """The server's certificate is not trusted or not its own, or only one side uses TLS."""


class NotFound(RequestError):
    """The server has no such video or model."""


class Unsupported(RequestError):
    """The request is valid, but this server or protocol does not support it."""


class ServerError(RequestError):
    """The server failed for a reason that is not in the request."""


class UnexpectedAnswer(TrireelError):
    """The answer lacks a part, or its parts do not fit together."""


class ClipsNotWritten(TrireelError):
    """The folder or bucket for the clips cannot be written to, or holds clips already."""


class InvalidAddress(TrireelError):
    """The server's address is not HOST:PORT."""


class InvalidTls(TrireelError):
    """The files of `tls` cannot be used: one is missing, or has the wrong content."""


class ClientBusy(TrireelError):
    """The client already has an open stream, and can have one at a time."""


class ClientClosed(TrireelError):
    """The client was used after it was closed."""
