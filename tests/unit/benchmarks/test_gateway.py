# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the gateway: a small run, its figures, its page."""

import json

from benchmarks.gateway import __main__ as run_module
from benchmarks.gateway.table import headlines, page


def test_a_small_run_makes_its_page(tmp_path):
    output = tmp_path / "results.json"
    run_module.run(tmp_path, output, count=5)
    raw = {"results.json": json.loads(output.read_text())}
    (found,) = headlines(raw)
    assert 0 < found.headlines[0].value < 1000
    assert raw["results.json"]["result_bytes"] > 50_000
    assert [way["way"] for way in raw["results.json"]["ways"]] == [
        *("file by hand", "result", "unchanged", "picture")
    ]
    assert "one request after another, 5 of each kind" in " ".join(page(raw).split())


def test_a_missing_run_has_no_figures():
    assert list(headlines({})) == []
