# SPDX-License-Identifier: Apache-2.0
"""The bytes of an upload, from the connection to the disk: in bounded memory, checked early."""

import asyncio
import os
from collections.abc import AsyncIterable

from trireel_app.gateway.failures import TooLarge, UnsupportedType
from trireel_app.sources.kinds import HEAD_BYTES, is_video, media_type

WRITE_BYTES = 1 << 20
"""Bytes that are collected before they are written, in another thread."""
SENTENCE = (
    "the file is {}: send a video (MP4, MOV, MKV, WebM, AVI, MPEG, TS, ...) or a picture (JPEG,"
    " PNG, WebP, ...)"
)
OTHERS = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
)


class Sink:
    """Appends bytes to a file of which the first ones tell whether it may be a video.

    With the whole head there it is checked once, before more is accepted.
    """

    def __init__(self, descriptor: int, size_bytes: int, most_bytes: int) -> None:
        """Take an open file.

        Args:
            descriptor: file that is open for appending.
            size_bytes: size of the file now.
            most_bytes: largest size that it may have.
        """
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._buffer = bytearray()
        self.size_bytes = size_bytes
        """Bytes received, those included that are not written yet."""
        self._is_checked = size_bytes >= HEAD_BYTES

    async def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            TooLarge: if the file is larger than allowed.
            UnsupportedType: if it is no video and no picture.
        """
        if self.size_bytes + len(data) > self._most_bytes:
            raise TooLarge(f"the file is larger than allowed: send at most {self._most_bytes} B")
        self._buffer += data
        self.size_bytes += len(data)
        if len(self._buffer) >= WRITE_BYTES or (
            not self._is_checked and self.size_bytes >= HEAD_BYTES
        ):
            await self.flush()

    async def flush(self, *, is_whole: bool = False) -> None:
        """Write what has been collected; raises UnsupportedType.

        Args:
            is_whole: True if no bytes follow, so that a short file is checked too.
        """
        data, self._buffer = self._buffer, bytearray()
        if data:
            await asyncio.to_thread(_write_all, self._descriptor, data)
        if not self._is_checked and (is_whole or self.size_bytes >= HEAD_BYTES):
            head = await asyncio.to_thread(os.pread, self._descriptor, HEAD_BYTES, 0)
            check_head(head)
            self._is_checked = True

    async def sync(self) -> None:
        """Write what has been collected, and wait until the disk has it."""
        await self.flush()
        await asyncio.to_thread(os.fsync, self._descriptor)


async def receive(body: AsyncIterable[bytes], sink: Sink) -> None:
    """Write a body to a sink; what had come before an error is on the disk too."""
    try:
        async for data in body:
            await sink.write(data)
    finally:
        await sink.sync()


def check_head(head: bytes) -> None:
    """Raise UnsupportedType unless a file begins as a video or a picture; names do not count."""
    if not is_video(media_type(head)):
        raise UnsupportedType(SENTENCE.format(_description(head)))


def _write_all(descriptor: int, data: bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _description(head: bytes) -> str:
    if not head:
        return "empty"
    for start, name in OTHERS:
        if head.startswith(start):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        if b"<svg" in text:
            return "a drawing (SVG)"
        return "a web page (HTML)" if b"<html" in text else "an XML document"
    return "no video and no picture"
