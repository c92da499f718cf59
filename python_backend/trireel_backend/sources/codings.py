# SPDX-License-Identifier: Apache-2.0
"""The values of Content-Encoding that mean a compressed body."""

from trireel_backend.errors import Unsupported

COMPRESSIONS = frozenset(
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
"""IANA's content codings, and archive formats that servers send as one."""


def reject_compressed(header: str) -> None:
    """Reject a body that is compressed.

    Other values do not mean that. Stores repeat the value that was set at the upload: its transfer
    ("aws-chunked"), a character set ("UTF-8"), or "none". Such a body is the plain file.

    Args:
        header: the value of Content-Encoding, "" if there is none.

    Raises:
        Unsupported: if one of its codings compresses the body.
    """
    for coding in header.split(","):
        if coding.strip().lower() in COMPRESSIONS:
            raise Unsupported(
                f"the video comes with Content-Encoding {header[:40]!r} though identity was"
                " requested: this server does not decompress videos"
            )
