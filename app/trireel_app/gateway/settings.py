# SPDX-License-Identifier: Apache-2.0
"""The settings of a gateway."""

from dataclasses import dataclass, field
from pathlib import Path

from trireel_app.chat.limits import ChatLimits

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one owner, or one address without a key, may request."""

    requests_per_minute: int = 1200
    """Requests in a minute with the keys of one owner."""
    anonymous_per_minute: int = 600
    """Requests in a minute from one address without a key."""
    failures_per_minute: int = 30
    """Requests in a minute from one address with a key that is not valid."""
    video_seconds_per_day: float | None = None
    """Seconds of video that one owner may have analysed in 24 hours; None for any number."""
    videos_pending: int = 200
    """Videos of one owner that may wait for their analysis or be analysed."""
    body_bytes: int = 1 << 20
    """Largest body of a request that is not an upload."""
    upload_bytes: int = 8 << 30
    """Largest file that may be uploaded."""
    disk_bytes: int = 100 << 30
    """Size of all uploaded files together; the oldest go if there are more."""
    disk_free_bytes: int = 1 << 30
    """Bytes that uploads leave free on the disk."""


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """How long things are kept; all of it is on by default."""

    video_seconds: float | None = 30 * 86_400.0
    """Seconds for which a video and its results are kept; None to keep them."""
    upload_seconds: float = 86_400.0
    """Seconds for which an upload that has not ended waits for its next piece."""
    event_seconds: float = 7 * 86_400.0
    """Seconds for which events can be read again."""
    stray_seconds: float = 3600.0
    """Seconds after which a file is removed that belongs to no video."""


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """How a gateway works."""

    database: str
    """Database of jobs, keys and events: a SQLite file, or postgresql://..."""
    library: str
    """Folder or `s3://` prefix of the library."""
    uploads: Path
    """Folder of uploaded videos; servers and workers read them there too."""
    servers: tuple[str, ...] = ("127.0.0.1:8001",)
    """Servers that embed texts and answer questions, HOST:PORT of gRPC."""
    hosts: tuple[str, ...] = LOOPBACK_HOSTS
    """Names by which clients may call this gateway, without port; `*` allows any."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may call this gateway, such as https://example.com."""
    is_secure: bool = False
    """True if clients reach it by TLS alone, so that cookies are sent by TLS alone."""
    session_seconds: float = 12 * 3600.0
    """Seconds after which a page needs the key again."""
    session_secret: str = field(default="", repr=False)
    """Secret that signs cookies; empty for the one that the database keeps."""
    limits: Limits = field(default_factory=Limits)
    """Limits and quotas."""
    chat: ChatLimits = field(default_factory=ChatLimits)
    """Budgets of the chat."""
    keeping: Keeping = field(default_factory=Keeping)
    """How long things are kept."""
    webhook_networks: str = ""
    """Networks, comma-separated CIDR, that webhooks may reach beside public addresses."""
    audit_file: Path | None = None
    """File that gets a line of JSON for each change and rejection; None for standard error."""
    uri_sources: bool = True
    """True to accept videos by URI; the server's own rules for addresses hold too."""
