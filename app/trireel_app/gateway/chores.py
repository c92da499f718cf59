# SPDX-License-Identifier: Apache-2.0
"""What goes after its time: videos, unfinished uploads, stray files, events; and lost work."""

import asyncio
import logging
import time
from dataclasses import dataclass

from trireel_app.errors import AppError
from trireel_app.gateway.failures import HttpFailure
from trireel_app.gateway.intake.accept import Intake
from trireel_app.gateway.removal import remove_video
from trireel_app.gateway.settings import Keeping
from trireel_app.index.keeper import Keeper
from trireel_app.jobs.retained import Retained
from trireel_app.jobs.uploads import UploadRow
from trireel_app.jobs.webhook_calls import WebhookCalls

LOGGER = logging.getLogger("trireel.gateway")
LOOK_SECONDS = 5.0
SWEEP_SECONDS = 60.0


@dataclass(frozen=True)
class Chores:
    """Sweeps in the background; several gateways may do so, and each sweep may be cut off."""

    retained: Retained
    """Looks for what may go."""
    intake: Intake
    """Uploads."""
    keeper: Keeper
    """Library and index."""
    calls: WebhookCalls
    """Calls of webhooks."""
    keeping: Keeping
    """How long things are kept."""

    async def run(self) -> None:
        """Sweep until the task is cancelled."""
        sweep_at = 0.0
        while True:
            try:
                await asyncio.to_thread(self.intake.uploads.requeue_lost)
                if time.monotonic() >= sweep_at:
                    sweep_at = time.monotonic() + SWEEP_SECONDS
                    await asyncio.to_thread(self.sweep)
            except (AppError, OSError) as error:
                LOGGER.warning("old videos cannot be removed now: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    def sweep(self) -> None:
        """Remove what has been kept long enough; raises LibraryError, OSError."""
        for row in self.retained.expired():
            self._remove(row)
        for row in self.retained.unfinished():
            self._look_at(row)
        self._keep_budget()
        self._remove_strays()
        self.intake.jobs.events.prune(time.time() - self.keeping.event_seconds)
        self.calls.prune()
        for job_id in self.retained.old_jobs():
            self.intake.jobs.jobs.erase(job_id)

    def _remove(self, row: UploadRow) -> None:
        remove_video(self.keeper, self.intake.folder, self.intake.jobs, row)

    def _look_at(self, row: UploadRow) -> None:
        """Submit an upload that is whole, and remove one that does not go on."""
        folder = self.intake.folder
        try:
            idle_seconds = time.time() - folder.part(row.id).stat().st_mtime
        except FileNotFoundError:
            idle_seconds = time.time() - row.created_at
            if idle_seconds > LOOK_SECONDS and folder.whole(row.id).exists():
                # Its gateway was killed between the last byte and the job.
                self._submit(row, folder.whole(row.id).stat().st_size)
                return
        # Without facts it came in one request, which nothing can go on with.
        is_resumable = folder.facts(row.id) is not None
        kept = self.keeping
        most_seconds = kept.upload_seconds if is_resumable else kept.stray_seconds
        if idle_seconds > most_seconds:
            self.intake.drop(row)

    def _submit(self, row: UploadRow, size_bytes: int) -> None:
        try:
            self.intake.submit_file(row, size_bytes)
        except HttpFailure:  # it was removed just now, or is no video
            self.intake.drop(row)

    def _keep_budget(self) -> None:
        """Remove the oldest videos of the owner with the most bytes, until all fit."""
        folder = self.intake.folder
        while self.intake.uploads.stored_bytes() > folder.budget_bytes:
            owner = self.retained.largest_owner()
            row = None if owner is None else self.retained.oldest(owner)
            if row is None:
                return  # the rest is on its way, or being analysed
            self._remove(row)

    def _remove_strays(self) -> None:
        before = time.time() - self.keeping.stray_seconds
        found = [name for name, changed_at in self.intake.folder.found() if changed_at < before]
        for video_id in self.retained.unknown(found):
            self.intake.folder.remove(video_id)
