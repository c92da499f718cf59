# SPDX-License-Identifier: Apache-2.0
"""Makes the calls of webhooks that are due."""

import asyncio
import json
import logging
import time

from trireel_app.errors import AppError
from trireel_app.gateway.video_json import time_text, video_json
from trireel_app.gateway.webhooks.addresses import NotAllowed, WebhookRules
from trireel_app.gateway.webhooks.send import NotDelivered, secret_of, send, signature
from trireel_app.jobs.uploads import Uploads
from trireel_app.jobs.webhook_calls import Call, WebhookCalls

LOGGER = logging.getLogger("trireel.gateway")
LOOK_SECONDS = 1.0


class Webhooks:
    """Makes calls in the background; the same call may arrive twice, with the same id."""

    def __init__(
        self, calls: WebhookCalls, uploads: Uploads, rules: WebhookRules, master_secret: str
    ) -> None:
        self._calls = calls
        self._uploads = uploads
        self._rules = rules
        self._master_secret = master_secret

    def secret(self, owner: str) -> str:
        """Return the secret that signs the calls of an owner."""
        return secret_of(self._master_secret, owner)

    async def run(self) -> None:
        """Make calls until the task is cancelled."""
        while True:
            try:
                due = await asyncio.to_thread(self._calls.claim)
                await asyncio.gather(*(asyncio.to_thread(self._make, call) for call in due))
            except AppError as error:
                LOGGER.warning("webhooks cannot be called now: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    def _make(self, call: Call) -> None:
        row = self._uploads.get(call.video_id)
        if row is None or row.webhook_url is None or row.job_id != call.job_id:
            self._calls.failed(call, "the video has changed since", for_good=True)
            return
        now = time.time()
        facts = {
            "id": f"{call.video_id}.{call.job_id}",
            "kind": f"video.{row.state}",
            "at": time_text(row.finished_at or now),
            "video": video_json(row).model_dump(mode="json", by_alias=True),
        }
        body = json.dumps(facts, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "trireel",
            "Trireel-Webhook-Id": str(facts["id"]),
            "Trireel-Signature": signature(self.secret(row.owner), int(now), body),
        }
        try:
            send(self._rules.target(row.webhook_url), body, headers)
            self._calls.delivered(call)
        except NotAllowed as error:
            self._calls.failed(call, str(error), for_good=True)
        except NotDelivered as error:
            self._calls.failed(call, str(error))
        except OSError:
            self._calls.failed(call, "its host cannot be looked up")
