# SPDX-License-Identifier: Apache-2.0
"""Why a connection failed: a TLS handshake of our own finds what the transports do not report.

gRPC reports "Socket closed" if a server requires a client's certificate, or TLS at all. If a name
has several addresses, gRPC may only report an address without a server.
"""

import asyncio
import enum
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from trireel_client._config import Address
from trireel_client._errors import (
    InvalidTls,
    NotAllowed,
    RequestError,
    SequenceLost,
    ServerUnavailable,
    TlsFailed,
    TrireelError,
    UnexpectedAnswer,
)
from trireel_client._transports.tls import Tls, context_of

GRPC_ALPN = "h2"
HTTP_ALPN = "http/1.1"
LONGEST_HANDSHAKE_SECONDS = 2.0
# Time for a server that sends first, or that rejects the client's certificate.
FIRST_WORD_SECONDS = 0.5

# gRPC's messages for a connection that failed or was lost. Only the messages distinguish such
# errors from those that a server sends.
_NO_CONNECTION = re.compile(
    r"failed to connect|handshake|socket closed|connection (reset|closed|aborted)|broken pipe"
    r"|recvmsg|sendmsg|goaway|stream removed|http1\.x",
    re.IGNORECASE,
)
# X509_V_ERR_... of OpenSSL: an unknown authority; another host, or another IP address.
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_OTHER_NAME = {62, 64}
# Errors of a handshake that the other side closes; they depend on Python's version.
_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError)
# OpenSSL's reasons for an answer that is not TLS.
_NO_TLS = {
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_VERSION_NUMBER",
}
# A server's reasons to reject a missing or a wrong certificate of a client.
_NO_CERTIFICATE = ("CERTIFICATE_REQUIRED",)
_BAD_CERTIFICATE = ("BAD_CERTIFICATE", "_CERTIFICATE_", "UNKNOWN_CA", "ACCESS_DENIED")


class Outcome(enum.Enum):
    """The outcome of a handshake without a TLS error."""

    NONE = enum.auto()
    """There was no connection, or no answer."""
    HUNG_UP = enum.auto()
    """The server closed the connection at the request for TLS."""
    AGREED = enum.auto()
    """The server uses TLS."""
    OTHER_PROTOCOL = enum.auto()
    """The server uses TLS, but not the wanted protocol."""
    CLOSED = enum.auto()
    """The server uses TLS, but closed the connection before it sent anything."""


class Handshake:
    """The TLS handshake with a server, tried after a request failed."""

    def __init__(
        self, address: Address, tls: Tls | None, connect_seconds: float, alpn: str
    ) -> None:
        """Keep the arguments; no handshake is tried before a request fails.

        Args:
            alpn: name in TLS of the wanted protocol.
        """
        self._address = address
        self._tls = tls
        self._seconds = min(connect_seconds, LONGEST_HANDSHAKE_SECONDS)
        self._alpn = alpn
        self._met = False

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise TlsFailed or NotAllowed if that is why the server seems unavailable."""
        try:
            yield
        except (ServerUnavailable, UnexpectedAnswer) as error:
            if not self._is_doubtful(error):
                raise
            raise self._cause(error) or error from error.__cause__
        self._met = True

    @asynccontextmanager
    async def explained_async(self) -> AsyncIterator[None]:
        """Do the same as `explained` without blocking the event loop."""
        try:
            yield
        except (ServerUnavailable, UnexpectedAnswer) as error:
            if not self._is_doubtful(error):
                raise
            cause = await asyncio.to_thread(self._cause, error)
            raise cause or error from error.__cause__
        self._met = True

    def _is_doubtful(self, error: TrireelError) -> bool:
        """Return whether TLS may be the cause of an error."""
        if isinstance(error, SequenceLost) or _is_servers_word(error.__cause__):
            return False
        if self._tls is None:
            return not self._met
        return isinstance(error, ServerUnavailable)

    def _cause(self, error: TrireelError) -> RequestError | None:
        raw = error.__cause__
        cause = self._of_tls_error(raw) if isinstance(raw, ssl.SSLError) else None
        return cause or (self._of_plaintext() if self._tls is None else self._of_tls(self._tls))

    def _of_plaintext(self) -> RequestError | None:
        try:
            outcome = self._shake(ssl.create_default_context())
            speaks_tls = outcome not in (Outcome.NONE, Outcome.HUNG_UP)
        except ssl.SSLCertVerificationError:
            speaks_tls = True
        except ssl.SSLError as error:
            speaks_tls = "ALERT" in (error.reason or "")
        if not speaks_tls:
            return None
        return TlsFailed(f"the server at {self._address} speaks TLS: give `tls` (--tls)")

    def _of_tls(self, tls: Tls) -> RequestError | None:
        try:
            context = context_of(tls)
            outcome = self._shake(context)
            if outcome is Outcome.CLOSED:
                # A server that is stopping may close it too, but accepts no new connection.
                outcome = self._shake(context)
        except InvalidTls:  # the files have been removed
            return None
        except ssl.SSLError as error:
            return self._of_tls_error(error)
        if outcome is Outcome.HUNG_UP and self._answers_plainly():
            return self._no_tls()
        if outcome is Outcome.OTHER_PROTOCOL:
            wanted = "gRPC" if self._alpn == GRPC_ALPN else "HTTP"
            return TlsFailed(
                f"the server at {self._address} speaks TLS, but not {wanted}: give its {wanted}"
                " port, or the other protocol"
            )
        return self._no_entry() if outcome is Outcome.CLOSED else None

    def _shake(self, context: ssl.SSLContext) -> Outcome:
        """Try a handshake; raises ssl.SSLError."""
        context.set_alpn_protocols([self._alpn])
        try:
            with (
                socket.create_connection(self._where, self._seconds) as line,
                context.wrap_socket(line, server_hostname=self._name) as encrypted,
            ):
                return self._first_word(encrypted)
        except _HUNG_UP:
            return Outcome.HUNG_UP
        except ssl.SSLError:
            raise
        except (OSError, ValueError):  # no server, or not a valid name
            return Outcome.NONE

    def _first_word(self, encrypted: ssl.SSLSocket) -> Outcome:
        speaks_first = self._alpn == GRPC_ALPN
        if speaks_first and encrypted.selected_alpn_protocol() != self._alpn:
            return Outcome.OTHER_PROTOCOL
        encrypted.settimeout(FIRST_WORD_SECONDS)
        try:
            first_byte = encrypted.recv(1)
        except TimeoutError:
            return Outcome.AGREED
        except (ConnectionError, *_HUNG_UP):
            first_byte = b""
        return Outcome.CLOSED if speaks_first and not first_byte else Outcome.AGREED

    def _answers_plainly(self) -> bool:
        """Return whether the server uses HTTP without TLS, as one that closes on TLS may."""
        try:
            with socket.create_connection(self._where, self._seconds) as line:
                line.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return line.recv(5) == b"HTTP/"
        except OSError:
            return False

    def _of_tls_error(self, error: ssl.SSLError) -> RequestError | None:
        server = f"the server at {self._address}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return TlsFailed(self._mistrust(error))
        reason = error.reason or ""
        if reason in _NO_TLS:
            return self._no_tls()
        if "ALERT" not in reason:
            return None
        if any(word in reason for word in (*_NO_CERTIFICATE, *_BAD_CERTIFICATE)):
            return self._no_entry()
        words = reason.partition("ALERT_")[2].replace("_", " ").lower()
        return TlsFailed(f"{server} refuses the TLS handshake: {words}")

    def _mistrust(self, error: ssl.SSLCertVerificationError) -> str:
        certificate = f"the certificate of the server at {self._address}"
        if error.verify_code in _OTHER_NAME:
            return (
                f"{certificate} is not for {self._name!r}: ask it by a name that it is for, or"
                " give that as server_name"
            )
        reason = f"{certificate} is not trusted ({error.verify_message})"
        if error.verify_code in _UNKNOWN_AUTHORITY:
            reason += ": give the authority that signed it as ca_file"
        return reason

    def _no_tls(self) -> TlsFailed:
        return TlsFailed(
            f"the server at {self._address} does not speak TLS: leave `tls` out, or give its TLS"
            " port"
        )

    def _no_entry(self) -> NotAllowed:
        server = f"the server at {self._address}"
        if self._tls is not None and self._tls.certificate_file is not None:
            return NotAllowed(f"{server} does not accept the certificate of certificate_file")
        return NotAllowed(
            f"{server} wants a certificate of its clients: give certificate_file and key_file"
        )

    @property
    def _where(self) -> tuple[str, int]:
        return self._address.host, self._address.port

    @property
    def _name(self) -> str:
        return (self._tls and self._tls.server_name) or self._address.host


def _is_servers_word(error: Any) -> bool:
    """Return whether an error of a transport is an answer of the server."""
    import grpc
    from tritonclient.utils import InferenceServerException

    if isinstance(error, InferenceServerException):
        is_grpc = (error.status() or "").startswith("StatusCode.")
        return not (is_grpc and _NO_CONNECTION.search(error.message() or ""))
    if isinstance(error, grpc.RpcError):
        return not _NO_CONNECTION.search(getattr(error, "details", lambda: None)() or "")
    return False
