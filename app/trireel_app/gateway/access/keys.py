# SPDX-License-Identifier: Apache-2.0
"""Keys of the gateway: random, shown once, kept as hashes.

A key is `trk_ID_SECRET`. The id names its row; the secret is 32 random bytes, of which the row has
the SHA-256: with so much randomness a slow hash would protect nothing.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trireel_app.errors import InvalidOption
from trireel_app.jobs.tables import METADATA, patient

PATIENCE_SECONDS = 5.0
PREFIX = "trk"
KEY = re.compile(r"trk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
SCOPES = ("videos:read", "videos:write", "search", "chat", "admin")
DEFAULT_SCOPES = SCOPES[:-1]

KEYS = sa.Table(
    "trireel_keys",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("secret_sha256", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double),
    sa.Column("replaced_by", sa.Text),
)


@dataclass(frozen=True)
class Access:
    """Who sends a request, and what they may do."""

    key_id: str
    """Id of the key, which is no secret."""
    owner: str
    """Owner of the key; videos belong to owners, so a rotated key sees the same videos."""
    scopes: frozenset[str]
    """What the key may be used for."""
    expires_at: float | None = None
    """Time at which the key ends, seconds since 1970; None if it does not."""

    @property
    def is_admin(self) -> bool:
        """True if the key may see how the server is."""
        return "admin" in self.scopes


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """A key without its secret."""

    id: str
    """Id of the key."""
    owner: str
    """Owner of the key."""
    note: str
    """What the key is for."""
    scopes: tuple[str, ...]
    """What the key may be used for."""
    created_at: float
    """Time of its creation, seconds since 1970."""
    expires_at: float | None
    """Time at which it ends; None if it does not."""
    replaced_by: str | None
    """Id of the key that replaces it; None if there is none."""

    @property
    def access(self) -> Access:
        """What the key permits."""
        return Access(self.id, self.owner, frozenset(self.scopes), self.expires_at)

    def is_valid(self, now: float) -> bool:
        """Return whether the key has not ended."""
        return self.expires_at is None or now < self.expires_at


class KeyStore:
    """The keys of one database; any number of threads and processes may use it.

    All methods raise LibraryError if the database is lost.
    """

    def __init__(self, database: sa.Engine, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.database = database
        self.patience_seconds = patience_seconds

    def create(
        self,
        owner: str,
        scopes: Sequence[str] = DEFAULT_SCOPES,
        lasts_seconds: float | None = None,
        note: str = "",
    ) -> str:
        """Make a key and return it: it cannot be shown again.

        Raises:
            InvalidOption: if the owner's name or a scope is not allowed.
        """
        if not OWNER.fullmatch(owner):
            raise InvalidOption(f"the owner is {owner!r}: give up to 64 letters, digits and ._@-")
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise InvalidOption(
                f"got the scopes {', '.join(unknown) or 'none'}: give {', '.join(SCOPES)}"
            )
        ends_at = None if lasts_seconds is None else time.time() + lasts_seconds
        return self._insert(owner, tuple(dict.fromkeys(scopes)), ends_at, note)

    def rotate(
        self, key_id: str, overlap_seconds: float, lasts_seconds: float | None = None
    ) -> str:
        """Make a key that replaces another with the same owner and scopes, and return it.

        Args:
            overlap_seconds: seconds for which the old key stays valid.
            lasts_seconds: seconds for which the new key is valid; None for no end.

        Raises:
            InvalidOption: if there is no such key, or it has ended.
        """
        old = self.row(key_id)
        now = time.time()
        if old is None or not old.is_valid(now):
            raise InvalidOption(f"there is no valid key {key_id!r}: `trireel keys list` shows all")
        ends_at = None if lasts_seconds is None else now + lasts_seconds
        key = self._insert(old.owner, old.scopes, ends_at, old.note)
        old_ends_at = min(now + overlap_seconds, old.expires_at or now + overlap_seconds)
        self._update(old.id, expires_at=old_ends_at, replaced_by=id_of(key))
        return key

    def revoke(self, key_id: str) -> None:
        """End a key at once; raises InvalidOption if there is no such key."""
        if not self._update(key_id, expires_at=time.time()):
            raise InvalidOption(f"there is no key {key_id!r}: `trireel keys list` shows all")

    def access_of(self, key: str) -> Access | None:
        """Return what a key permits; None if it is not valid."""
        parts = KEY.fullmatch(key)
        found = None if parts is None else self._secret_and_row(parts[1])
        if parts is None or found is None:
            return None
        secret_sha256, row = found
        if not hmac.compare_digest(_hash(parts[2]), secret_sha256):
            return None
        return row.access if row.is_valid(time.time()) else None

    def access_by_id(self, key_id: str) -> Access | None:
        """Return what the key of an id permits, for a session that it began; None if it ended."""
        row = self.row(key_id)
        return row.access if row is not None and row.is_valid(time.time()) else None

    def row(self, key_id: str) -> KeyRow | None:
        """Return the key of an id, None if there is none."""
        found = self._secret_and_row(key_id)
        return None if found is None else found[1]

    @patient
    def rows(self) -> list[KeyRow]:
        """Return all keys, oldest first."""
        statement = sa.select(KEYS).order_by(KEYS.c.created_at, KEYS.c.id)
        with self.database.connect() as connection:
            return [_row(row) for row in connection.execute(statement)]

    @patient
    def _secret_and_row(self, key_id: str) -> tuple[str, KeyRow] | None:
        statement = sa.select(KEYS).where(KEYS.c.id == key_id)
        with self.database.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else (row.secret_sha256, _row(row))

    @patient
    def _insert(
        self, owner: str, scopes: tuple[str, ...], expires_at: float | None, note: str
    ) -> str:
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        with self.database.begin() as connection:
            connection.execute(
                sa.insert(KEYS).values(
                    id=key_id,
                    owner=owner,
                    note=note,
                    secret_sha256=_hash(secret),
                    scopes=json.dumps(scopes),
                    created_at=time.time(),
                    expires_at=expires_at,
                )
            )
        return f"{PREFIX}_{key_id}_{secret}"

    @patient
    def _update(self, key_id: str, **values: float | str) -> bool:
        with self.database.begin() as connection:
            changed = connection.execute(
                sa.update(KEYS).where(KEYS.c.id == key_id).values(**values)
            )
        return changed.rowcount > 0


def id_of(key: str) -> str:
    """Return the id of a key, which is no secret; empty if the text is no key."""
    parts = KEY.fullmatch(key)
    return "" if parts is None else parts[1]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _row(row: "sa.Row[tuple[object, ...]]") -> KeyRow:
    values = dict(row._mapping)
    del values["secret_sha256"]
    return KeyRow(**{**values, "scopes": tuple(json.loads(values["scopes"]))})
