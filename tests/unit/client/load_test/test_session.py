# SPDX-License-Identifier: Apache-2.0
"""A whole test of a loopback server, whose levels follow one another."""

import math

from support.quiet import Quiet
from unit.client.scripted import whole_video

from trireel_client._config import Address
from trireel_client.load_test.drive.connection import Connection
from trireel_client.load_test.plan import Level, Plan
from trireel_client.load_test.session import Watched, run_test


async def test_every_level_ends_with_a_snapshot_before_the_next(grpc_only):
    grpc_only.script.answers["video_analysis"] = lambda asked: whole_video()
    levels = (Level(rate=0.01), Level(concurrency=1))  # nothing arrives in the first
    # Short: snapshots are taken at the windows' ends, not because a second has passed.
    told = Plan(
        videos=(b"video",),
        levels=levels,
        duration_seconds=0.2,
        warm_up_seconds=0.1,
        timeout_seconds=5.0,
    )
    connection = Connection(Address.parse(grpc_only.url), "grpc")
    result = await run_test(told, connection, Watched(None, None, True), Quiet())
    first, second = result.runs
    assert (len(first.samples), len(second.samples) > 0) == (0, True)
    for run, next_seconds in ((first, second.began_seconds), (second, math.inf)):
        snapshots = [
            snapshot.at_seconds
            for snapshot in result.snapshots
            if run.window.begin_seconds <= snapshot.at_seconds <= next_seconds
        ]
        assert len(snapshots) >= 2
        assert snapshots[-1] >= run.window.end_seconds
