# SPDX-License-Identifier: Apache-2.0
"""The metrics of a server at one moment."""

import http.client
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from trireel_client._config import Address
from trireel_client.load_test.errors import NothingToWatch

TIMEOUT_SECONDS = 5.0
TRITONS = "nv_inference_"
PREFIXES = (TRITONS, "nv_gpu_", "nv_cpu_", "trireel_")
# The sum and the count of a histogram are enough; its buckets are not kept.
LEFT_OUT = "_bucket"
# The label that distinguishes a family's series, beside the model; others are summed over.
DETAILS = ("reason", "outcome", "stage", "status", "cause", "gpu_uuid")


class Series(NamedTuple):
    """The name of one value."""

    metric: str
    """Name of the metric, such as `nv_inference_count`."""
    model: str = ""
    """Name of the model, if the metric has one series a model."""
    detail: str = ""
    """Value of one more label, such as the outcome or the stage."""


@dataclass(frozen=True)
class Scrape:
    """Values by name, summed over a model's instances."""

    values: Mapping[Series, float]
    """Values of counters since the server's start, and of gauges."""

    def total(self, metric: str, model: str | None = None, detail: str | None = None) -> float:
        """Return the sum of a metric, of one model or of one detail; 0 if it has no series."""
        return sum(
            value
            for series, value in self.values.items()
            if series.metric == metric
            and model in (None, series.model)
            and detail in (None, series.detail)
        )

    def mean(self, metric: str) -> float | None:
        """Return the mean of a metric over its series, such as GPUs; None if it has none."""
        found = [value for series, value in self.values.items() if series.metric == metric]
        return sum(found) / len(found) if found else None

    def in_queue(self, model: str) -> float:
        """Return how many requests wait in Triton for an instance of a model."""
        return self.total(f"{TRITONS}pending_request_count", model)

    def waiting(self, model: str) -> float:
        """Return how many requests of a model wait: in Triton or, whole videos, in the model."""
        return self.in_queue(model) + self.total("trireel_waiting_videos", model)

    def models(self) -> tuple[str, ...]:
        """Return the names of the server's models."""
        names = (one.model for one in self.values if one.metric == "nv_inference_count")
        return tuple(sorted(names))


def grown(before: Scrape, after: Scrape) -> Scrape:
    """Return the growth of every value; a value that fell belongs to a server that restarted."""
    return Scrape(
        {
            series: value - before.values.get(series, 0.0)
            if value >= before.values.get(series, 0.0)
            else value
            for series, value in after.values.items()
        }
    )


def read_metrics(address: Address) -> Scrape:
    """Request a server's metrics; raises NothingToWatch."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode()
        status = response.status
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
        raise NothingToWatch(f"no metrics at http://{address}/metrics: {error}") from error
    finally:
        connection.close()
    if status != http.client.OK:
        raise NothingToWatch(f"no metrics at http://{address}/metrics: status {status}")
    return parse_metrics(text)


def parse_metrics(text: str) -> Scrape:
    """Read Prometheus' text format; raises NothingToWatch."""
    from prometheus_client.parser import text_string_to_metric_families

    values: defaultdict[Series, float] = defaultdict(float)
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if _is_kept(sample.name, sample.value):
                    values[_series(sample.name, sample.labels)] += sample.value
    except ValueError as error:
        raise NothingToWatch(f"/metrics is not in Prometheus' format: {error}") from error
    if not values:
        raise NothingToWatch("/metrics has no metrics of a Triton server")
    return Scrape(dict(values))


def _is_kept(name: str, value: float) -> bool:
    # A summary without observations has NaN for its quantiles.
    return name.startswith(PREFIXES) and not name.endswith(LEFT_OUT) and math.isfinite(value)


def _series(name: str, labels: Mapping[str, str]) -> Series:
    # Triton's counters have no `_total`; the parser adds it.
    metric = name.removesuffix("_total") if name.startswith(TRITONS) else name
    detail = next((labels[one] for one in DETAILS if one in labels), "")
    return Series(metric, labels.get("model", ""), detail)
