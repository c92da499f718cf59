# SPDX-License-Identifier: Apache-2.0
"""A whole load test, as it is shown and written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trireel_client._config import Address
from trireel_client._results import ServerInfo
from trireel_client.load_test.drive.level_run import LevelRun
from trireel_client.load_test.judge.summary import LevelSummary
from trireel_client.load_test.plan import Plan
from trireel_client.load_test.watch.capacity import Capacity
from trireel_client.load_test.watch.looks import Look


@dataclass(frozen=True)
class TestResult:
    """All that a test has brought."""

    __test__ = False  # not pytest's

    plan: Plan
    """What was to be done."""
    address: Address
    """Whom it was done to."""
    server: ServerInfo
    """Who answered."""
    capacities: Mapping[str, Capacity]
    """What the server's models can do at once, as far as it tells."""
    began_at: datetime
    """When the first level began."""
    began_seconds: float
    """The same on the monotonic clock, which samples and looks go by."""
    runs: tuple[LevelRun, ...]
    """Level by level, all samples."""
    summaries: tuple[LevelSummary, ...]
    """The same in short."""
    looks: tuple[Look, ...]
    """At server and machine, once a second."""
    interrupted: bool = False
    """Ctrl-C ended it."""
    notes: tuple[str, ...] = ()
    """What a reader should know: why levels or metrics are missing."""
