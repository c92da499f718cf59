# SPDX-License-Identifier: Apache-2.0
"""Uploads in pieces by tus 1.0: creation, pieces, their offset, removal.

The offset is the size of the file on the disk, and it is told only when the disk has it. One
request at a time writes an upload. A newer request ends an older one: after a lost connection the
server may hold the old one for minutes.
"""

import asyncio
import base64
import binascii
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect

from trireel_app.gateway.failures import (
    BadRequest,
    Conflict,
    Invalid,
    Locked,
    NotFound,
    TooLarge,
    UnsupportedType,
)
from trireel_app.gateway.intake.accept import Intake
from trireel_app.gateway.intake.fields import options_of, safe_name
from trireel_app.gateway.intake.receive import Sink, receive
from trireel_app.jobs.uploads import UploadRow, UploadState

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination"
MOST_METADATA_LETTERS = 16 << 10
IDLE_SECONDS = 60.0
"""A connection that brings nothing for so long is given up; its upload goes on with the next."""
HAND_OVER_SECONDS = 10.0


@dataclass(eq=False)
class _Turn:
    """The request that writes an upload now."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class TusUploads:
    """Uploads in pieces of this process; belongs to one event loop."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._turns: dict[str, _Turn] = {}

    @property
    def most_bytes(self) -> int:
        """Largest file."""
        return self._intake.most_bytes

    def create(self, owner: str, length: int, metadata_header: str) -> UploadRow:
        """Make an upload of a length without bytes; blocks; raises HttpFailure, InvalidOption."""
        if length > self.most_bytes:
            raise TooLarge(f"the file is larger than allowed: send at most {self.most_bytes} B")
        if length < 1:
            raise Invalid("the file is empty: send a video")
        metadata = metadata_of(metadata_header)
        intake = self._intake
        intake.folder.check_room(length)
        row = intake.new_row(
            owner,
            UploadState.UPLOADING,
            size_bytes=length,
            name=safe_name(metadata.get("filename") or metadata.get("name") or ""),
            options=options_of(metadata.get("options", "")),
            webhook_url=intake.webhooks.checked(metadata.get("webhook_url") or None),
        )
        intake.uploads.add(row)
        try:
            intake.folder.begin(row.id, {"length": length, "metadata": metadata_header})
        except BaseException:
            intake.drop(row)
            raise
        return row

    async def offset(self, row: UploadRow) -> int:
        """Return how many bytes of an upload have come; a request that writes it is ended."""
        if row.state is not UploadState.UPLOADING:
            return _size_of_ended(row)
        async with self._turn(row.id):
            try:
                return await asyncio.to_thread(self._intake.folder.offset, row.id)
            except FileNotFoundError:  # whole, and not submitted yet
                return row.size_bytes or 0

    def metadata(self, row: UploadRow) -> str:
        """Return the header with the metadata of an upload; blocks."""
        facts = self._intake.folder.facts(row.id) or {}
        return str(facts.get("metadata", ""))

    async def append(self, row: UploadRow, offset: int, body: AsyncIterator[bytes]) -> int:
        """Add bytes to an upload, and submit the video with the last one; return the new offset.

        Raises:
            Conflict: if the offset is another one.
            Locked: if another process writes the upload.
            UnsupportedType: if the file is no video; the upload is removed.
            ClientDisconnect: if the connection was cut; what has come is kept.
        """
        if row.state is not UploadState.UPLOADING:
            if offset != _size_of_ended(row):
                raise Conflict("the upload has ended")
            return offset
        length = row.size_bytes or 0
        async with self._turn(row.id) as turn:
            try:
                now = await self._receive(row, offset, length, _until(body, turn.stop))
            except FileNotFoundError:
                if not self._intake.folder.whole(row.id).exists():
                    raise NotFound("the upload has been removed") from None
                now = length  # it could not be submitted before
            except UnsupportedType:
                await asyncio.to_thread(self._intake.drop, row)
                raise
            if now == length:
                await asyncio.to_thread(self._intake.submit_file, row, length)
            return now

    async def remove(self, row: UploadRow) -> None:
        """Remove an upload that has not ended; raises Conflict."""
        if row.state is not UploadState.UPLOADING:
            raise Conflict("the upload has ended: remove the video")
        async with self._turn(row.id):
            await asyncio.to_thread(self._intake.drop, row)

    async def _receive(
        self, row: UploadRow, offset: int, length: int, body: AsyncIterator[bytes]
    ) -> int:
        try:
            with self._intake.folder.locked(row.id) as descriptor:
                size_bytes = os.fstat(descriptor).st_size
                if offset != size_bytes:
                    raise Conflict(f"the upload has {size_bytes} bytes: go on from there")
                sink = Sink(descriptor, size_bytes, length)
                await receive(body, sink)
                return sink.size_bytes
        except BlockingIOError as error:
            raise Locked("another request writes this upload", retry_after_seconds=2) from error

    @asynccontextmanager
    async def _turn(self, video_id: str) -> AsyncIterator[_Turn]:
        """Be the one request that writes an upload; an older one ends first."""
        while (before := self._turns.get(video_id)) is not None:
            before.stop.set()
            try:
                async with asyncio.timeout(HAND_OVER_SECONDS):
                    await before.ended.wait()
            except TimeoutError as error:
                raise Locked("another request writes this upload") from error
        turn = self._turns[video_id] = _Turn()
        try:
            yield turn
        finally:
            del self._turns[video_id]
            turn.ended.set()


def metadata_of(header: str) -> Mapping[str, str]:
    """Return the values of the header `Upload-Metadata`; raises BadRequest."""
    if len(header) > MOST_METADATA_LETTERS:
        raise BadRequest(f"Upload-Metadata is longer than {MOST_METADATA_LETTERS} letters")
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError) as error:
            raise BadRequest("Upload-Metadata is not well formed: send KEY BASE64, ...") from error
    return found


def _size_of_ended(row: UploadRow) -> int:
    if row.size_bytes is None or not row.path:
        raise NotFound("there is no such upload")
    return row.size_bytes


async def _until(body: AsyncIterator[bytes], stop: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Yield a body's pieces until it ends, another request takes over, or nothing comes."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while True:
            piece = asyncio.ensure_future(anext(body, None))
            await asyncio.wait(
                [piece, stopped], timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not piece.done():
                piece.cancel()
                await asyncio.wait([piece])
                raise ClientDisconnect
            if (data := piece.result()) is None:
                return
            yield data
    finally:
        stopped.cancel()
