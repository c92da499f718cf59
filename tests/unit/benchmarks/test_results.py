# SPDX-License-Identifier: Apache-2.0
"""Every page of results is what its script makes of the raw numbers beside it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.headlines import Goal, Headline, Run

FOLDER = Path(__file__).parents[3] / "benchmarks"
MACHINE = {"cores": 2, "processor": "P", "python": "3.11", "commit": "abc", "packages": {"a": "1"}}


def pages(folder):
    return {str(page.relative_to(folder)): page.read_text() for page in folder.rglob("RESULTS.md")}


def written_anew(target):
    """Return the pages that the scripts make of the raw numbers, where there were none before."""
    shutil.copytree(
        FOLDER, target / "benchmarks", ignore=shutil.ignore_patterns("RESULTS.md", "__pycache__")
    )
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.results"],
        cwd=target,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return pages(target / "benchmarks")


def test_the_committed_pages_are_those_of_the_committed_numbers(tmp_path):
    made, committed = written_anew(tmp_path), pages(FOLDER)
    assert sorted(made) == sorted(committed)
    for name, page in made.items():
        assert page == committed[name], f"{name} is old: python -m benchmarks.results"


def test_every_benchmark_that_writes_a_page_is_on_the_common_one():
    tables = {table.parent.name for table in FOLDER.glob("*/table.py")}
    assert tables == set(results.NAMES)


def test_the_page_says_which_goals_are_met():
    headlines = (
        Headline("Rate", 9.0, "frames/s", "the loop", 3.0, Goal(4.0)),
        Headline("Memory", 40.0, "MiB", "the peer", 100.0, Goal(0.5, at_most=True)),
        Headline("Failed", 1, goal=Goal(0, at_most=True)),
        Headline("Refused", None, beside="the gate", goal=Goal(0.999)),
        Headline("Size", 12345.0, "bytes"),
    )
    page = results.page({"gpu": [Run("Served", "python -m x", MACHINE, headlines, "On a note.")]})
    lines = page.splitlines()
    assert "**1 of 4 figures that have a goal reach it.** These do not:" in lines
    assert "- Served. Rate: ratio 3.00 to the loop, wanted at least 4" in lines
    assert "- Served. Failed: 1, wanted at most 0" in lines
    assert "- Served. Refused: nothing found, wanted at least 0.999" in lines
    assert "| Memory | 40.0 MiB | the peer: 100 | 0.40 | at most 0.5 | met |" in lines
    assert "| Size | 12345 bytes |  |  |  |  |" in lines
    assert (
        "[All of it](gpu/RESULTS.md). `python -m x` on 2 x P, Python 3.11, commit abc, a 1." in page
    )
    assert "On a note." in lines


@pytest.mark.parametrize(
    ("goal", "kept", "missed"), [(Goal(2.0), 2.0, 1.9), (Goal(0.0, at_most=True), 0.0, 1.0)]
)
def test_a_bound_itself_is_within(goal, kept, missed):
    assert goal.met_by(kept)
    assert not goal.met_by(missed)
