# SPDX-License-Identifier: Apache-2.0
"""Everything this package raises on purpose; the names say what the caller can do.

TrireelError
├── SourceError             the video given cannot be sent; no request was made
│   ├── SourceNotFound      no such local file
│   ├── EmptySource         nothing in it
│   ├── UnreadableSource    a folder, or a file this user may not read
│   └── SourceTooLarge      over what one message can carry: have the server read it
├── RequestError            the request got no answer, or a refusal
│   ├── ServerUnavailable   nobody listens, or the server is full or stopping: try again later
│   │   ├── ServerFull      it takes in no more for now: come again when it says, or ask another
│   │   └── SequenceLost    the server with a video's state is gone: step through it from the start
│   ├── RequestTimeout      no answer in time: give it longer, or less to do
│   ├── RequestCancelled    ended before the answer, by either side
│   ├── InvalidRequest      a value, a file or a path that is not accepted: change it
│   ├── NotAllowed          the server or a proxy before it wants other credentials
│   ├── TlsFailed           a certificate not trusted, or TLS on one side alone: change `tls`
│   ├── NotFound            the server has no such video or model
│   ├── Unsupported         understood, but not something this server or protocol does
│   └── ServerError         the server failed on its own account
├── UnexpectedAnswer        an answer, but not one that docs/tensors.md describes
├── InvalidAddress          `url` is not HOST:PORT
├── InvalidTls              a file of `tls` is missing or of no use
├── ClientBusy              this client has a stream open already
└── ClientClosed            the client was closed before the call
"""


class TrireelError(Exception):
    """Base of all errors of this package; its message is one sentence for a person."""


class SourceError(TrireelError):
    """The video given cannot be sent; no request was made."""


class SourceNotFound(SourceError):
    """There is no such file on this machine."""


class EmptySource(SourceError):
    """The file or the bytes given hold nothing."""


class UnreadableSource(SourceError):
    """The path is a folder, or a file that cannot be read."""


class SourceTooLarge(SourceError):
    """The file does not fit into one message; the server has to read it itself."""


class RequestError(TrireelError):
    """The request got no answer, or a refusal."""


class ServerUnavailable(RequestError):
    """Nobody listens at the address, or the server is full or stopping; a later try may succeed."""

    retry_after_seconds: float | None = None
    """When to come back, where the server or a proxy said so."""


class ServerFull(ServerUnavailable):
    """The server is there, and has as much under way and waiting as it takes in."""


class SequenceLost(ServerUnavailable):
    """The server that kept a sequence's state is gone, or has forgotten it: begin anew."""


class RequestTimeout(RequestError):
    """No answer came in the time allowed."""


class RequestCancelled(RequestError):
    """The request was ended before its answer."""


class InvalidRequest(RequestError):
    """A value, a file or a path in the request is not accepted."""


class NotAllowed(RequestError):
    """The server, or a proxy before it, does not let this client in."""


class TlsFailed(RequestError):
    """The server's certificate is not trusted or not its own, or only one side speaks TLS."""


class NotFound(RequestError):
    """The server has no such video or model."""


class Unsupported(RequestError):
    """A valid request for something this server or protocol does not do."""


class ServerError(RequestError):
    """The server failed for a reason the request did not give."""


class UnexpectedAnswer(TrireelError):
    """The answer lacks something, or its parts do not fit together."""


class InvalidAddress(TrireelError):
    """The server's address is not HOST:PORT."""


class InvalidTls(TrireelError):
    """What `tls` says cannot be used: a file is missing, or not what it should be."""


class ClientBusy(TrireelError):
    """A client keeps one stream at a time open; this one has one already."""


class ClientClosed(TrireelError):
    """The client was used after it was closed."""
