# SPDX-License-Identifier: Apache-2.0
"""The metrics of a gateway, in Prometheus' format."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trireel_app.errors import AppError
from trireel_app.jobs.uploads import Uploads

PREFIX = "trireel_gateway"
BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What one process has done; other parts may add families to `registry`."""

    def __init__(self, uploads: Uploads) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            f"{PREFIX}_requests",
            "Requests by route and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"{PREFIX}_request_seconds",
            "Seconds until the first byte of an answer.",
            ("route",),
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._rejected = Counter(
            f"{PREFIX}_rejected",
            "Requests that were rejected, by status.",
            ("status",),
            registry=self.registry,
        )
        self.registry.register(_Videos(uploads))

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; its route is a pattern, so that the series stay few."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status in (401, 403, 413, 415, 429):
            self._rejected.labels(str(status)).inc()

    def text(self) -> bytes:
        """Return all metrics."""
        return generate_latest(self.registry)


class _Videos(Collector):
    """Counts the videos by state when metrics are read."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def describe(self) -> Iterator[Metric]:
        """Yield the family without counting: a registry asks for it at the start."""
        yield self._family()

    def collect(self) -> Iterator[Metric]:
        """Yield the number of videos by state; nothing while the database is away."""
        family = self._family()
        try:
            for state, count in self._uploads.counts().items():
                family.add_metric([state.value], count)
        except AppError:
            return
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"{PREFIX}_videos", "Videos by state.", labels=["state"])
