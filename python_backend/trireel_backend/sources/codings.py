# SPDX-License-Identifier: Apache-2.0
"""Which values of Content-Encoding say that a body is packed."""

from trireel_backend.errors import Unsupported

PACKINGS = frozenset(
    (
        "aes128gcm",
        "br",
        "bzip2",
        "compress",
        "dcb",
        "dcz",
        "deflate",
        "exi",
        "gzip",
        "lz4",
        "lzma",
        "pack200-gzip",
        "snappy",
        "x-bzip2",
        "x-compress",
        "x-gzip",
        "xz",
        "zstd",
    )
)
"""IANA's content codings, and archive formats that servers state as one."""


def refuse_packed(header: str) -> None:
    """Refuse a body that is packed.

    Stores repeat the value that was set when a file was stored: how it was uploaded
    ("aws-chunked"), its characters ("UTF-8"), or "none". Such a body is the plain file.

    Args:
        header: the value of Content-Encoding, "" if there is none.

    Raises:
        Unsupported: if a coding in it packs the body.
    """
    for coding in header.split(","):
        if coding.strip().lower() in PACKINGS:
            raise Unsupported(
                f"the video comes with Content-Encoding {header[:40]!r} though identity was"
                " requested: this server does not unpack videos"
            )
