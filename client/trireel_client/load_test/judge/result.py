# SPDX-License-Identifier: Apache-2.0
"""A whole load test, as it is shown and written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trireel_client._config import Address
from trireel_client._servers import ServerInfo
from trireel_client.load_test.drive.level_run import LevelRun
from trireel_client.load_test.judge.summary import LevelSummary
from trireel_client.load_test.plan import Plan
from trireel_client.load_test.watch.capacity import Capacity
from trireel_client.load_test.watch.snapshots import Snapshot


@dataclass(frozen=True)
class TestResult:
    """The result of a load test."""

    __test__ = False  # not a test of pytest

    plan: Plan
    """Plan of the test."""
    address: Address
    """Address of the server."""
    server: ServerInfo
    """The server that answered."""
    capacities: Mapping[str, Capacity]
    """Capacity of the server's models by name, as far as it is known."""
    began_at: datetime
    """Time at which the first level began."""
    began_seconds: float
    """The same time on the monotonic clock of samples and snapshots."""
    runs: tuple[LevelRun, ...]
    """All samples, level by level."""
    summaries: tuple[LevelSummary, ...]
    """Summary of each level."""
    snapshots: tuple[Snapshot, ...]
    """Snapshots of server and machine, once a second."""
    interrupted: bool = False
    """True if Ctrl-C ended the test."""
    notes: tuple[str, ...] = ()
    """Sentences on why levels or metrics are missing."""
