# SPDX-License-Identifier: Apache-2.0
"""What a server's /metrics says, as numbers."""

import re
from collections import Counter

import httpx

SERIES = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Scrape:
    """One look at /metrics."""

    def __init__(self, url):
        response = httpx.get(f"http://{url}/metrics")
        response.raise_for_status()
        lines = response.text.splitlines()
        self.kinds = dict(line.split()[2:] for line in lines if line.startswith("# TYPE "))
        self.helps = dict(
            line.split(maxsplit=3)[2:] for line in lines if line.startswith("# HELP ")
        )
        self.series = []
        for line in lines:
            if not line.startswith("#"):
                name, labels, value = SERIES.fullmatch(line).groups()
                self.series.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def total(self, metric, **labels):
        """Return the sum over all series that have these labels; fails where there is none."""
        found = [
            value
            for name, own, value in self.series
            if name == metric and labels.items() <= own.items()
        ]
        assert found, f"no {metric} with {labels}"
        return sum(found)

    def by(self, metric, label, **labels):
        """Return the sums that are not 0 by the values of a label."""
        sums = Counter()
        for name, own, value in self.series:
            if name == metric and labels.items() <= own.items():
                sums[own[label]] += value
        return {key: value for key, value in sums.items() if value}
