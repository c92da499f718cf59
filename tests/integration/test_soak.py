# SPDX-License-Identifier: Apache-2.0
"""A short soak: nothing is left of full load with faults, and a leak that is put in is found."""

import shutil

import pytest

from benchmarks.soak.load import Mix
from benchmarks.soak.run import Plan, run
from benchmarks.soak.table import page
from benchmarks.soak.verdict import checks, others_mib

from .conftest import MODELS

CLIPS = ("animated.gif", "h264.mp4", "turned.mp4", "vp9.webm")
MIX = Mix(
    good=4, faults=3, fault_pause_seconds=0.1, burst_every_seconds=5.0, nuisance_every_seconds=2.0
)
UNDISTURBED = Mix(good=4, faults=0, burst_every_seconds=3600, nuisance_every_seconds=3600)
MOST_GROWTH_MIB = 100
LEAK = """
    _left = []

    def execute(self, requests):
        self._left += [open(__file__) for _ in requests]
"""


def soaked(mix, seconds, warm_up_seconds, models=MODELS):
    plan = Plan(
        seconds=seconds,
        warm_up_seconds=warm_up_seconds,
        every_seconds=1.0,
        idle_seconds=1.0,
        models=models,
        clips=CLIPS,
        with_s3=False,
        mix=mix,
    )
    return {"machine": {"cores": ["one"], "commit": "none"}, **run(plan)}


@pytest.fixture(scope="module")
def report():
    return soaked(MIX, seconds=12.0, warm_up_seconds=8.0)


def test_nothing_is_left_of_full_load_with_faults(report):
    failed = [check for check in checks(report) if not check.passed]
    # In the first seconds allocators still grow: what they may is for the half hour to say.
    assert [one for one in failed if not one.name.startswith("memory")] == [], report["tally"][
        "wrong"
    ]
    assert others_mib(report["after"]) < others_mib(report["before"]) + MOST_GROWTH_MIB
    assert set(report["tally"]["good"]) == {"grpc", "http", "step", "stream"}
    assert len(report["tally"]["faults"]) > 10
    assert f"{len(checks(report))} checks, " in page(report)


def test_a_leak_is_found(tmp_path):
    models = shutil.copytree(MODELS, tmp_path / "models")
    model = models / "temporal_decoder/1/model.py"
    model.write_text(model.read_text().replace("\n    def execute(self, requests):\n", LEAK))
    # Every chunk leaks a file: seconds are enough, without faults to be waited for.
    report = soaked(UNDISTURBED, seconds=4.0, warm_up_seconds=2.0, models=models)
    found = {check.name: check for check in checks(report)}
    assert not found["open files"].passed
    assert "temporal_decoder: others" in found["open files"].found
    assert found["after the stop nothing is left"].passed
