# SPDX-License-Identifier: Apache-2.0
"""The identity of a video: the same source has the same id on every machine and in every run."""

import hashlib
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

ID_DIGITS = 20
DEFAULT_PORTS = {"http": 80, "https": 443}
# Parameters of links that hold a signature: they change with each link, and are credentials.
SIGNATURES = ("x-amz-", "x-goog-", "x-oss-", "x-ms-")
SIGNATURE_NAMES = frozenset(
    {
        *("awsaccesskeyid", "signature", "expires", "key-pair-id", "policy", "token"),
        *("access_token", "googleaccessid", "sig", "se", "sp", "sv", "sr", "st", "skoid", "sktid"),
    }
)


def video_id_of(source: str | Path) -> str:
    """Return the id of a path or URI: 20 hexadecimal digits."""
    return hashlib.sha256(normalised_uri(source).encode()).hexdigest()[:ID_DIGITS]


def normalised_uri(source: str | Path) -> str:
    """Return the one spelling of a path or URI, without user names, passwords and signatures.

    A path becomes a `file://` URI of the real file behind its links.
    """
    text = str(source)
    if "://" not in text:
        return Path(text).resolve().as_uri()
    parts = urlsplit(text)
    scheme = parts.scheme.lower()
    if scheme == "file":
        return Path(unquote(parts.path)).resolve().as_uri()
    query = urlencode([pair for pair in parse_qsl(parts.query, True) if not _is_signature(pair[0])])
    return SplitResult(scheme, _host(parts, scheme), parts.path or "/", query, "").geturl()


def _host(parts: SplitResult, scheme: str) -> str:
    """Return the host, and its port unless it is the usual one."""
    name = parts.netloc.rpartition("@")[2]
    if scheme not in DEFAULT_PORTS:  # a bucket's name, not a host
        return name
    host, colon, port = name.lower().rpartition(":")
    return host if colon and port == str(DEFAULT_PORTS[scheme]) else name.lower()


def _is_signature(name: str) -> bool:
    return name.lower().startswith(SIGNATURES) or name.lower() in SIGNATURE_NAMES
