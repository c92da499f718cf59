# SPDX-License-Identifier: Apache-2.0
"""Figures of more clients than a server accepts."""

import pytest

from benchmarks.past_capacity.headlines import headlines
from benchmarks.past_capacity.table import rows

MACHINE = {"cores": ["P"] * 2, "commit": "abc"}


def crowd(clients, admitted_ms, refused_ms=(), failures=()):
    return {
        **{"clients": clients, "window_seconds": 2.0, "most_pss_mib": 400.0 + clients},
        **{"admitted_ms": list(admitted_ms), "refused_ms": list(refused_ms)},
        "failures": list(failures),
    }


def test_the_most_clients_are_set_beside_a_full_server():
    rounds = [
        [crowd(4, [1.0]), crowd(64, [100.0] * 10), crowd(256, [110.0] * 9, [5.0, 7.0], ["x"])],
        [crowd(4, [1.0]), crowd(64, [100.0] * 10), crowd(256, [110.0] * 9 + [300.0], [6.0])],
        [crowd(4, [1.0]), crowd(64, [100.0] * 10), crowd(256, [130.0] * 9)],
    ]
    (run,) = headlines({"results.json": {"machine": MACHINE, "rounds": rounds}})
    found = {one.what: (one.judged, one.met) for one in run.headlines}
    assert found == {
        "256 clients: throughput": (pytest.approx(0.9), False),
        "256 clients: p50 of accepted": (pytest.approx(1.1), True),
        "256 clients: p99 over p50 of accepted": (pytest.approx(130 / 110), True),
        "256 clients: a rejection, p99": (pytest.approx((6.98 + 6.0) / 2), None),
        "256 clients: the most memory": (pytest.approx(656 / 464), None),
        "256 clients: failures": (1, False),
    }


def test_a_clients_time_for_an_answer_is_computed():
    (row,) = rows({"rounds": [[crowd(256, [110.0] * 23, [5.0])]]})
    assert row.seconds_an_answer == pytest.approx(256 / 11.5)
