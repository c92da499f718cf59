# SPDX-License-Identifier: Apache-2.0
"""Metrics of a model instance, as series of Triton's own /metrics."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from trireel_backend.metrics.family import Family, Kind


class ExportedMetrics:
    """`metrics.Metrics`: series in Triton's registry, labelled with their model instance.

    Every instance has its own series: Triton frees a shared series when the first instance releases
    it, even if other instances still use it.
    """

    def __init__(self, triton: Any, labels: Mapping[str, str], families: Iterable[Family]) -> None:
        """Create every series of the families.

        Args:
            triton: `triton_python_backend_utils`.
            labels: labels of the model instance.
            families: metric families of the model.
        """
        self._triton = triton
        self._lock = threading.Lock()  # a series must not be used by two threads at once
        self._families: list[Any] = []  # a family must outlive its series
        self._series: dict[tuple[str, str], Any] = {}
        self._gauges: dict[str, float] = {}
        try:
            for family in families:
                self._register(family, labels)
        except triton.TritonModelException as error:  # metrics are disabled, or custom ones are
            self._triton.Logger.log_warn(f"own metrics are not exported: {error}")
            self._series.clear()

    def add(self, family: Family, amount: float = 1.0, value: str = "") -> None:
        """Increase a counter or gauge."""
        self._call("increment", family, amount, value)

    def set(self, family: Family, amount: float) -> None:
        """Set a gauge."""
        if self._gauges.get(family.name) != amount:
            self._gauges[family.name] = amount
            self._call("set", family, amount)

    def observe(self, family: Family, amount: float) -> None:
        """Add a value to a histogram."""
        self._call("observe", family, amount)

    def _register(self, family: Family, labels: Mapping[str, str]) -> None:
        kind = getattr(self._triton.MetricFamily, family.kind.name)
        exported = self._triton.MetricFamily(
            name=family.name, description=family.description, kind=kind
        )
        self._families.append(exported)
        buckets = {"buckets": list(family.buckets)} if family.kind is Kind.HISTOGRAM else {}
        for value in family.values:
            series_labels = {**labels, family.label: value} if family.label else dict(labels)
            self._series[family.name, value] = exported.Metric(labels=series_labels, **buckets)

    def _call(self, operation: str, family: Family, amount: float, value: str = "") -> None:
        series = self._series.get((family.name, value))
        if series is None:
            return
        try:
            with self._lock:
                getattr(series, operation)(amount)
        except self._triton.TritonModelException as error:
            self._triton.Logger.log_warn(f"{family.name} was not counted: {error}")
