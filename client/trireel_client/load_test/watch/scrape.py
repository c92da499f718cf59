# SPDX-License-Identifier: Apache-2.0
"""What a server's /metrics says, at one moment."""

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
# Of a histogram these are sums enough; its buckets are not kept.
LEFT_OUT = "_bucket"
# The label that tells a family's series apart, beside the model; sums are over all others.
DETAILS = ("reason", "outcome", "stage", "status", "cause", "gpu_uuid")


class Series(NamedTuple):
    """The name of a number."""

    metric: str
    """Such as `nv_inference_count`."""
    model: str = ""
    """Of a metric that is by model."""
    detail: str = ""
    """The value of a further label, such as the outcome or the stage."""


@dataclass(frozen=True)
class Scrape:
    """Numbers by their names, summed over a model's instances."""

    values: Mapping[Series, float]
    """Counters since the server's start, and gauges."""

    def total(self, metric: str, model: str | None = None, detail: str | None = None) -> float:
        """Return the sum of a metric, of one model or of one detail; 0 where there is none."""
        return sum(
            value
            for series, value in self.values.items()
            if series.metric == metric
            and model in (None, series.model)
            and detail in (None, series.detail)
        )

    def mean(self, metric: str) -> float | None:
        """Return the mean of a metric over its series, such as GPUs; None where there is none."""
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
    """Return how much every number grew; one that fell was of a server that began anew."""
    return Scrape(
        {
            series: value - before.values.get(series, 0.0)
            if value >= before.values.get(series, 0.0)
            else value
            for series, value in after.values.items()
        }
    )


def read_metrics(address: Address) -> Scrape:
    """Ask a server for its metrics; raises NothingToWatch."""
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
        raise NothingToWatch(
            f"what came from /metrics is not Prometheus' format: {error}"
        ) from error
    if not values:
        raise NothingToWatch("what came from /metrics is not a Triton server's")
    return Scrape(dict(values))


def _is_kept(name: str, value: float) -> bool:
    # A summary without observations has quantiles that are no numbers.
    return name.startswith(PREFIXES) and not name.endswith(LEFT_OUT) and math.isfinite(value)


def _series(name: str, labels: Mapping[str, str]) -> Series:
    # Triton's counters have no `_total`; the parser gives it to them.
    metric = name.removesuffix("_total") if name.startswith(TRITONS) else name
    detail = next((labels[one] for one in DETAILS if one in labels), "")
    return Series(metric, labels.get("model", ""), detail)
