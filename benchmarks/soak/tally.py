# SPDX-License-Identifier: Apache-2.0
"""Counts of the requests' outcomes, from many threads."""

import threading
from collections import Counter, defaultdict
from typing import Any

OK = "OK"
FULL = "FULL"  # rejected by a full server
KEPT = 40  # messages that are kept for the report


class Tally:
    """Counts outcomes, and keeps the messages of wrong ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._faults: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._latencies_ms: list[float] = []
        self._casualties: defaultdict[str, list[str]] = defaultdict(list)
        self._wrong: list[str] = []
        self._wrong_count = 0

    def answered(self, way: str, milliseconds: float) -> None:
        """Count a good request that was answered correctly."""
        with self._lock:
            self._counts["good"][way] += 1
            self._latencies_ms.append(milliseconds)

    def fault(self, name: str, status: str) -> None:
        """Count a fault by its status."""
        with self._lock:
            self._faults[name][status] += 1

    def burst(self, status: str) -> None:
        """Count a request of a burst."""
        with self._lock:
            self._counts["bursts"][status] += 1

    def nuisance(self, kind: str) -> None:
        """Count a decoder's process that was killed or stopped."""
        with self._lock:
            self._counts["nuisances"][kind] += 1

    def casualty(self, nuisance: str, message: str) -> None:
        """Keep a request that was lost with a decoder's process."""
        with self._lock:
            self._casualties[nuisance].append(message[:300])

    def wrong(self, message: str) -> None:
        """Keep a wrong outcome."""
        with self._lock:
            self._wrong_count += 1
            if len(self._wrong) < KEPT:
                self._wrong.append(message[:500])

    def take_latencies_ms(self) -> list[float]:
        """Return the latencies since the last call."""
        with self._lock:
            taken, self._latencies_ms = self._latencies_ms, []
        return taken

    def report(self) -> dict[str, Any]:
        """Return all counts."""
        with self._lock:
            return {
                **{name: dict(self._counts[name]) for name in ("good", "bursts", "nuisances")},
                "faults": {
                    name: dict(sorted(counts.items()))
                    for name, counts in sorted(self._faults.items())
                },
                "casualties": {kind: list(lost) for kind, lost in self._casualties.items()},
                "wrong": list(self._wrong),
                "wrong_count": self._wrong_count,
            }
