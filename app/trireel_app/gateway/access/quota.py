# SPDX-License-Identifier: Apache-2.0
"""Limits by requests, and the quota by cost: seconds of video."""

import time
from dataclasses import dataclass, field

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.failures import TooManyRequests
from trireel_app.gateway.settings import Limits
from trireel_app.jobs.uploads import Uploads
from trireel_app.jobs.usage import Usage

DAY_SECONDS = 86_400.0


class RequestLimits:
    """Limits of this process by requests; a sliding minute each."""

    def __init__(self, limits: Limits) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._owner = RateLimitItemPerMinute(limits.requests_per_minute, namespace="owner")
        self._address = RateLimitItemPerMinute(limits.anonymous_per_minute, namespace="address")
        self._failures = RateLimitItemPerMinute(limits.failures_per_minute, namespace="failures")

    def count_owner(self, owner: str) -> None:
        """Count a request with a valid key; raises TooManyRequests."""
        self._count(self._owner, owner)

    def count_anonymous(self, address: str) -> None:
        """Count a request without a key; raises TooManyRequests."""
        self._count(self._address, address)

    def count_failure(self, address: str) -> None:
        """Count a key that is not valid; raises TooManyRequests."""
        self._count(self._failures, address)

    def _count(self, item: RateLimitItem, name: str) -> None:
        if not self._limiter.hit(item, name):
            raise self._failure(item, name)

    def _failure(self, item: RateLimitItem, name: str) -> TooManyRequests:
        stats = self._limiter.get_window_stats(item, name)
        return TooManyRequests(
            f"more than {item.amount} requests in a minute: send fewer",
            retry_after_seconds=max(0.0, stats.reset_time - time.time()),
        )


@dataclass(frozen=True)
class Quota:
    """The quota of each owner by the videos that are analysed."""

    usage: Usage = field(repr=False)
    """What owners had analysed."""
    uploads: Uploads = field(repr=False)
    """Videos of owners."""
    limits: Limits
    """How much each owner may have."""

    def check(self, access: Access) -> None:
        """Raise TooManyRequests if an owner may submit no further video now.

        The length of a video is known after its analysis. So the quota may be exceeded by the
        videos that wait at the time, whose number is limited.
        """
        allowed = self.limits.video_seconds_per_day
        if allowed is not None:
            used = self.usage.seconds(access.owner, DAY_SECONDS)
            if used >= allowed:
                raise TooManyRequests(
                    f"{used:.0f} s of video were analysed in 24 hours, and {allowed:g} s are"
                    " allowed: send the video later",
                    retry_after_seconds=3600,
                )
        pending = self.uploads.pending(access.owner)
        if pending >= self.limits.videos_pending:
            raise TooManyRequests(
                f"{pending} videos wait for their analysis: send the video when some have ended",
                retry_after_seconds=60,
            )
