# SPDX-License-Identifier: Apache-2.0
"""Every committed page is made by its script from the committed raw numbers."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.common.record import Goal, Headline, Run, find_benchmarks

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


def test_every_folder_that_measures_has_a_record():
    folders = {file.parent.name for file in FOLDER.glob("*/__main__.py")}
    assert {benchmark.name for benchmark in find_benchmarks()} == folders


@pytest.mark.parametrize("benchmark", find_benchmarks(), ids=lambda benchmark: benchmark.name)
def test_a_benchmark_imports_no_other_and_needs_no_numbers(benchmark):
    names = {other.name for other in find_benchmarks()} - {benchmark.name}
    for file in benchmark.folder.rglob("*.py"):
        others = re.findall(r"^\s*(?:from|import) benchmarks\.(\w+)", file.read_text(), re.M)
        assert not names & set(others), file
    assert list(benchmark.headlines({})) == []


@pytest.mark.parametrize("benchmark", find_benchmarks(), ids=lambda benchmark: benchmark.name)
def test_the_help_of_a_benchmark_names_its_needs(benchmark):
    text = benchmark.parser().format_help()
    assert benchmark.question in text
    assert benchmark.needs in text
    assert benchmark.command in text
    assert benchmark.command.startswith(f"python -m benchmarks.{benchmark.name}")


def test_lines_and_cells_of_the_pages_are_short():
    for page in FOLDER.rglob("RESULTS.md"):
        for line in page.read_text().splitlines():
            if line.startswith("|"):
                assert max(map(len, line.split("|"))) <= 160, page
            else:
                assert len(line) <= 140, page


def test_the_page_says_which_goals_are_met():
    headlines = (
        Headline("Rate", 9.0, "frames/s", "the loop", 3.0, Goal(4.0)),
        Headline("Memory", 40.0, "MiB", "the peer", 100.0, Goal(0.5, at_most=True)),
        Headline("Failed", 1, goal=Goal(0, at_most=True)),
        Headline("Refused", None, beside="the gate", goal=Goal(0.999)),
        Headline("Size", 12345.0, "bytes"),
    )
    page = results.common_page(
        {"gpu": [Run("Served", "python -m x", MACHINE, headlines, "On a note.")]}
    )
    lines = page.splitlines()
    assert "**1 of 4 figures with a goal reach it.** These do not:" in lines
    assert "- Served. Rate: ratio 3.00 to the loop, wanted at least 4" in lines
    assert "- Served. Failed: 1, wanted at most 0" in lines
    assert "- Served. Refused: no figure, wanted at least 0.999" in lines
    assert "| Memory | 40.0 MiB | the peer: 100 | 0.40 | at most 0.5 | met |" in lines
    assert "| Size | 12345 bytes |  |  |  |  |" in lines
    assert (
        "[Details](gpu/RESULTS.md). `python -m x` on 2 x P, Python 3.11, commit abc, a 1." in page
    )
    assert "On a note." in lines


@pytest.mark.parametrize(
    ("goal", "kept", "missed"), [(Goal(2.0), 2.0, 1.9), (Goal(0.0, at_most=True), 0.0, 1.0)]
)
def test_a_bound_itself_is_within(goal, kept, missed):
    assert goal.met_by(kept)
    assert not goal.met_by(missed)
