# SPDX-License-Identifier: Apache-2.0
"""Sessions of the page: a signed cookie that names the key which began it.

The cookie holds no key. It is worth as much as its key is: if the key ends, so do its sessions.
"""

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from itsdangerous import BadSignature, TimestampSigner

from trireel_app.jobs.tables import METADATA, patient

COOKIE = "trireel_session"
SALT = "trireel.session"
PATIENCE_SECONDS = 5.0

SECRETS = sa.Table(
    "trireel_secrets",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)


@dataclass
class SecretStore:
    """Secrets that all gateways of one database share; each is made when it is first needed."""

    database: sa.Engine
    """The database."""
    patience_seconds: float = PATIENCE_SECONDS
    """Seconds to wait for a database that is away."""

    @patient
    def secret(self, name: str) -> str:
        """Return the secret of a name: 32 random bytes as hexadecimal digits."""
        wanted = sa.select(SECRETS.c.value).where(SECRETS.c.name == name)
        with self.database.connect() as connection:
            found: str | None = connection.scalar(wanted)
        if found is not None:
            return found
        try:
            with self.database.begin() as connection:
                connection.execute(
                    sa.insert(SECRETS).values(name=name, value=secrets.token_hex(32))
                )
        except sa.exc.IntegrityError:
            pass  # another gateway was first
        with self.database.connect() as connection:
            kept: str = connection.scalars(wanted).one()
            return kept


class Sessions:
    """Signs and reads the cookies of sessions."""

    def __init__(self, secret: str, lasts_seconds: float) -> None:
        """Take the secret, and the seconds for which a session lasts."""
        self.lasts_seconds = lasts_seconds
        self._signer = TimestampSigner(secret, salt=SALT, digest_method=hashlib.sha256)

    def cookie(self, key_id: str) -> str:
        """Return the cookie of a session that a key begins now."""
        return self._signer.sign(key_id).decode()

    def key_id(self, cookie: str) -> tuple[str, float] | None:
        """Return a session's key and its end in seconds since 1970; None if it is not valid."""
        try:
            value, signed_at = self._signer.unsign(
                cookie, max_age=int(self.lasts_seconds), return_timestamp=True
            )
        except (BadSignature, ValueError):
            return None
        return value.decode(), signed_at.timestamp() + self.lasts_seconds
