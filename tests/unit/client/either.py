# SPDX-License-Identifier: Apache-2.0
"""Both clients' iterators, read in the same way."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

from unit.client.loopback import QUICK, Loopback
from unit.client.scripted import Script

from trireel_client import Analysis, AsyncTrireelClient, ServerPath, Timeout

VIDEO = ServerPath("a.mp4")
DEFAULT_TIMEOUT = Timeout(5.0, 10.0)


@dataclass
class Either:
    """A server, and a way of reading a client's iterators, blocking or not."""

    server: Loopback
    blocking: bool
    timeout: Timeout = DEFAULT_TIMEOUT

    @property
    def script(self) -> Script:
        """What the server answers, and was asked."""
        return self.server.script

    def all(self, method: str, **options) -> list:
        """Return what `client.<method>(VIDEO)` yields."""
        return self.some(method, None, **options)

    def some(self, method: str, count: int | None, **options) -> list:
        """Return the first of it, and close the iterator."""
        if self.blocking:
            with self.server.client(timeout=self.timeout) as client:
                answers = getattr(client, method)(VIDEO, **options)
                try:
                    return [answer for _, answer in zip(_upto(count), answers, strict=False)]
                finally:
                    answers.close()
        return asyncio.run(self._some(method, count, options))

    async def _some(self, method: str, count: int | None, options) -> list:
        taken = []
        async with (
            self._async_client() as client,
            aclosing(getattr(client, method)(VIDEO, **options)) as answers,
        ):
            async for answer in answers:
                taken.append(answer)
                if len(taken) == count:
                    break
        return taken

    def _async_client(self) -> AsyncTrireelClient:
        return AsyncTrireelClient(
            self.server.url, timeout=self.timeout, retries=QUICK, tls=self.server.tls
        )


def _upto(count: int | None) -> Iterator[int]:
    return iter(range(10**6 if count is None else count))


def indices(answers: list) -> list[int | str]:
    """Return which chunks were given, and where the whole video was."""
    return ["whole" if isinstance(answer, Analysis) else answer.index for answer in answers]
