# SPDX-License-Identifier: Apache-2.0
"""Exports that the gate rejects."""

from benchmarks.precision.headlines import headlines

MACHINE = {"cores": ["P"] * 2, "commit": "abc"}


def test_a_rejected_export_misses_its_goal():
    gate = {"checkpoint": "c", "precision": "fp16", "worst_cosine": None}
    report = {"machine": MACHINE, "gates": [gate, gate | {"worst_cosine": 0.9995}], "forms": []}
    (run,) = headlines({"results.json": report})
    assert [one.met for one in run.headlines] == [False, True]
