# SPDX-License-Identifier: Apache-2.0
"""The benchmark of uploads: a small run of each part, and its page."""

import pytest

from benchmarks.uploads import listeners as listeners_module
from benchmarks.uploads.headlines import headlines
from benchmarks.uploads.kills import KILL_AFTER
from benchmarks.uploads.large import large, parallel
from benchmarks.uploads.place import MIB, film, film_sha256, gateway
from benchmarks.uploads.table import page


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("uploads") / "gateway") as place:
        yield place


def test_each_seed_gives_another_file():
    assert film_sha256(3 * MIB, 1) == film_sha256(3 * MIB, 1) != film_sha256(3 * MIB, 2)
    assert sum(map(len, film(3 * MIB + 7, 1))) == 3 * MIB + 7


def test_a_small_run_makes_its_page(place, monkeypatch):
    monkeypatch.setattr("benchmarks.uploads.large.PIECE_MIB", 4)
    monkeypatch.setattr(listeners_module, "EVENTS", 3)
    report = {
        "large": large(place, 20_000_000, cuts=2),
        "parallel": parallel(place, 4, 2_000_000),
        "listeners": listeners_module.listeners(place, 5, slow=1),
        "kills": {
            "uploads": 20,
            "killed": list(KILL_AFTER.values()),
            "sends": 22,
            "accepted": 20,
            "ended": {"done": 19, "failed": 1},
            "reasons": ["no video"],
            "ended_seconds": 100.0,
        },
        "machine": {"commit": "abc", "processor": "x", "cores": 2, "packages": {}},
    }
    assert report["large"]["is_equal"]
    assert report["large"]["requests"] > 20_000_000 / (4 * MIB)  # some were cut
    assert report["parallel"]["equal"] == 4
    assert report["listeners"]["got_all"] == 5
    raw = {"results.json": report}
    (run,) = headlines(raw)
    assert all(one.met in (None, True) for one in run.headlines)
    assert "bit for bit" in page(raw)
