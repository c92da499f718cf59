# SPDX-License-Identifier: Apache-2.0
"""One call of a webhook: signed, to the address that was checked, without redirects."""

import hashlib
import hmac
import http.client
import socket
import ssl
from functools import cache

from trireel_app.gateway.webhooks.addresses import Target

TIMEOUT_SECONDS = 10.0
READ_BYTES = 4096


class NotDelivered(Exception):
    """The webhook's server did not accept the call."""


def secret_of(master: str, owner: str) -> str:
    """Return the secret that signs an owner's webhooks: no owner can sign for another."""
    digest = hmac.new(master.encode(), b"webhook:" + owner.encode(), hashlib.sha256).hexdigest()
    return f"whsec_{digest}"


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the header `Trireel-Signature` of a body that is sent at a time (Unix seconds)."""
    signed = b"%d." % at + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def send(target: Target, body: bytes, headers: dict[str, str]) -> None:
    """Send a call; blocks.

    Raises:
        NotDelivered: if the answer is not 2xx, or there is none.
    """
    connection = _Connection(target)
    try:
        connection.request("POST", target.path, body, headers)
        answer = connection.getresponse()
        answer.read(READ_BYTES)
        if not 200 <= answer.status < 300:
            raise NotDelivered(f"its server answered {answer.status}")
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(f"its server did not answer: {type(error).__name__}") from error
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    """Connects to the checked address, and checks the certificate against the host's name."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=TIMEOUT_SECONDS)
        self._target = target

    def connect(self) -> None:
        address = self._target.address, self._target.port
        plain = socket.create_connection(address, TIMEOUT_SECONDS)
        if self._target.scheme == "https":
            self.sock = _tls().wrap_socket(plain, server_hostname=self._target.host)
        else:
            self.sock = plain


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
