# SPDX-License-Identifier: Apache-2.0
"""Long videos beside a short one."""

import pytest

from benchmarks.long_video.headlines import headlines

MACHINE = {"cores": ["P"] * 2, "commit": "abc"}


def long_report(long_seconds, long_mib):
    runs = [
        {"minutes": 10, "extractors": 1, "wall_seconds": 5.0, "pss_mib": [90.0, 100.0]},
        {"minutes": 120, "extractors": 1, "wall_seconds": long_seconds, "pss_mib": long_mib},
        {"minutes": 120, "extractors": 2, "wall_seconds": 9.0, "pss_mib": [1.0]},
    ]
    return {"machine": MACHINE, "runs": runs}


@pytest.mark.parametrize(
    ("seconds", "mib", "met"),
    [
        (60.0, [100.0, 105.0], [True, True]),
        (70.0, [100.0, 105.0], [False, True]),
        (60.0, [100.0, 125.0, 100.0], [True, False]),
    ],
)
def test_a_long_video_is_set_beside_a_short_one(seconds, mib, met):
    (run,) = headlines({"results.json": long_report(seconds, mib)})
    assert [one.met for one in run.headlines] == met
    assert run.headlines[0].ratio == pytest.approx(seconds / 60)
    assert run.headlines[1].ratio == max(mib) / 100
