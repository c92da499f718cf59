# SPDX-License-Identifier: Apache-2.0
"""What came of the requests, counted from many threads."""

import threading
from collections import Counter
from typing import Any

OK = "OK"
FULL = "FULL"  # refused, as the server takes in no more for now
KEPT = 40  # messages and latencies of what is looked at by a person


class Tally:
    """Counts what was answered, and keeps what should not have been."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._good: Counter[str] = Counter()
        self._latencies_ms: list[float] = []
        self._faults: Counter[tuple[str, str]] = Counter()
        self._bursts: Counter[str] = Counter()
        self._nuisances: Counter[str] = Counter()
        self._casualties: dict[str, list[str]] = {}
        self._wrong: list[str] = []
        self._wrong_count = 0

    def answered(self, way: str, milliseconds: float) -> None:
        """Count a good request that was answered right."""
        with self._lock:
            self._good[way] += 1
            self._latencies_ms.append(milliseconds)

    def fault(self, name: str, status: str) -> None:
        """Count a fault by what was said to it."""
        with self._lock:
            self._faults[name, status] += 1

    def burst(self, status: str) -> None:
        """Count a request of a burst."""
        with self._lock:
            self._bursts[status] += 1

    def nuisance(self, kind: str) -> None:
        """Count what was done to a process."""
        with self._lock:
            self._nuisances[kind] += 1

    def casualty(self, nuisance: str, words: str) -> None:
        """Keep a request that a process took along to which something was done."""
        with self._lock:
            self._casualties.setdefault(nuisance, []).append(words[:300])

    def wrong(self, words: str) -> None:
        """Keep what should not have happened."""
        with self._lock:
            self._wrong_count += 1
            if len(self._wrong) < KEPT:
                self._wrong.append(words[:500])

    def taken_latencies_ms(self) -> list[float]:
        """Return the latencies since this was last asked."""
        with self._lock:
            taken, self._latencies_ms = self._latencies_ms, []
        return taken

    def report(self) -> dict[str, Any]:
        """Return all counts."""
        with self._lock:
            faults: dict[str, dict[str, int]] = {}
            for (name, status), number in sorted(self._faults.items()):
                faults.setdefault(name, {})[status] = number
            return {
                "good": dict(self._good),
                "faults": faults,
                "bursts": dict(self._bursts),
                "nuisances": dict(self._nuisances),
                "casualties": {kind: list(words) for kind, words in self._casualties.items()},
                "wrong": list(self._wrong),
                "wrong_count": self._wrong_count,
            }
