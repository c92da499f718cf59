# SPDX-License-Identifier: Apache-2.0
"""From a request to a video with a job: a file in one request, an upload in pieces, or a URI."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trireel_app.gateway.failures import Conflict, Invalid, TooLarge
from trireel_app.gateway.intake.fields import name_of_uri, options_of, safe_name
from trireel_app.gateway.intake.folder import UploadFolder
from trireel_app.gateway.intake.multipart import FIELD_BYTES, Form, read_form
from trireel_app.gateway.intake.receive import Sink, check_head
from trireel_app.gateway.webhooks.addresses import WebhookRules
from trireel_app.jobs.events import state_event
from trireel_app.jobs.uploads import UploadRow, Uploads, UploadState, new_id
from trireel_app.jobs.watched_jobs import WatchedJobs, WrongState
from trireel_app.sources.kinds import HEAD_BYTES


@dataclass(frozen=True)
class Intake:
    """Takes videos in; the blocking methods belong into a thread."""

    uploads: Uploads
    """Videos of the owners."""
    jobs: WatchedJobs
    """Jobs of the videos."""
    folder: UploadFolder
    """Folder of uploaded files."""
    webhooks: WebhookRules
    """Rules for the addresses of webhooks."""
    most_bytes: int
    """Largest file."""
    kept_seconds: float | None
    """Seconds after which a video is removed; None if it is kept."""

    async def form(
        self, owner: str, content_type: str, length: int | None, body: AsyncIterator[bytes]
    ) -> UploadRow:
        """Take a form with a file, and submit the video; return it.

        Raises:
            HttpFailure: if it cannot be accepted; nothing is left of it then.
            InvalidOption: if an option cannot be used.
        """
        if length is not None and length > self.most_bytes + FIELD_BYTES:
            raise TooLarge(f"the file is larger than allowed: send at most {self.most_bytes} B")
        await asyncio.to_thread(self.folder.check_room, length or 0)
        row = self.new_row(owner, UploadState.UPLOADING, size_bytes=length)
        await asyncio.to_thread(self.uploads.add, row)
        try:
            form, size_bytes = await self._file_of_form(row, content_type, body)
            row = self._with_fields(row, form)
            await asyncio.to_thread(self.submit_file, row, size_bytes)
        except BaseException:
            # It may be cancelled: what was kept goes all the same.
            await asyncio.shield(asyncio.to_thread(self.drop, row))
            raise
        return await asyncio.to_thread(self.current, row)

    def uri(
        self, owner: str, uri: str, name: str, options: str, webhook_url: str | None
    ) -> UploadRow:
        """Submit the video of a normal URI; return it; raises InvalidOption, HttpFailure."""
        row = self.new_row(
            owner,
            UploadState.UPLOADING,
            uri=uri,
            name=safe_name(name) if name else name_of_uri(uri),
            options=options,
            webhook_url=self.webhooks.checked(webhook_url),
        )
        self.uploads.add(row)
        try:
            self.jobs.submit(row)
        except BaseException:
            self.uploads.forget(row.id)
            raise
        return self.current(row)

    def new_row(self, owner: str, state: UploadState, **values: Any) -> UploadRow:
        """Return the row of a new video."""
        now = time.time()
        expires_at = None if self.kept_seconds is None else now + self.kept_seconds
        values = {"name": "video", "uri": "", **values}
        return UploadRow(
            id=new_id(), owner=owner, state=state, created_at=now, expires_at=expires_at, **values
        )

    def submit_file(self, row: UploadRow, size_bytes: int) -> None:
        """Make a whole upload a video with a job; may be done again after a failure.

        Raises:
            UnsupportedType: if it is no video.
            InvalidOption: if an option cannot be used.
            Conflict: if it was cancelled or removed meanwhile.
            LibraryError: if the database is lost.
        """
        path = self.folder.whole(row.id)
        part = self.folder.part(row.id)
        check_head(_head(part if part.exists() else path))
        path = self.folder.finish(row.id)
        changes = {
            "uri": str(path),
            "path": str(path),
            "size_bytes": size_bytes,
            "name": row.name,
            "options": row.options,
            "webhook_url": row.webhook_url,
        }
        with conflicts("the upload was cancelled or removed"):
            self.jobs.submit(row, **changes)

    def cancel_upload(self, row: UploadRow) -> None:
        """Give up an upload that has not ended; what has come of it goes."""
        values = {"state": UploadState.CANCELLED, "finished_at": time.time()}
        if self.uploads.change(row.id, values, (UploadState.UPLOADING,)):
            self.folder.discard(row.id)
            self.jobs.events.add([state_event(row.id, row.owner, UploadState.CANCELLED)])

    def drop(self, row: UploadRow) -> None:
        """Remove all of an upload that was not submitted."""
        now = self.uploads.find(row.owner, row.id)
        if now is None or now.state is UploadState.UPLOADING:
            self.folder.remove(row.id)
            self.uploads.forget(row.id)
        elif not now.path:  # it was cancelled meanwhile
            self.folder.remove(row.id)

    def current(self, row: UploadRow) -> UploadRow:
        """Return a video as it is now."""
        return self.uploads.find(row.owner, row.id) or row

    async def _file_of_form(
        self, row: UploadRow, content_type: str, body: AsyncIterator[bytes]
    ) -> tuple[Form, int]:
        part = self.folder.part(row.id)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = await asyncio.to_thread(os.open, part, flags, 0o640)
        try:
            sink = Sink(descriptor, 0, self.most_bytes)
            form = await read_form(content_type, body, sink.write)
            if not form.has_file:
                raise Invalid("the form has no field `file`: send the video in it")
            await sink.flush(is_whole=True)
            await sink.sync()
            return form, sink.size_bytes
        finally:
            os.close(descriptor)

    def _with_fields(self, row: UploadRow, form: Form) -> UploadRow:
        return replace(
            row,
            name=safe_name(form.fields.get("name") or form.filename),
            options=options_of(form.fields.get("options", "")),
            webhook_url=self.webhooks.checked(form.fields.get("webhook_url") or None),
        )


@contextmanager
def conflicts(message: str) -> Iterator[None]:
    """Turn WrongState into Conflict with a message."""
    try:
        yield
    except WrongState as error:
        raise Conflict(message) from error


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
