# SPDX-License-Identifier: Apache-2.0
"""The commit in raw numbers, the closed loop of requests, and the CPU time of a family."""

import asyncio
import math
import subprocess
import sys

import psutil
import pytest

from benchmarks.common.footprint import Footprint
from benchmarks.common.load import Level
from benchmarks.common.machine import commit

PAGE, NUMBERS, CODE = "docs/page.md", "benchmarks/a/b/results.json", "package/code.py"


@pytest.fixture
def repository(tmp_path):
    """A repository with a page, raw numbers and code, all committed."""

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    for name in (PAGE, NUMBERS, CODE):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("as it was")
    git("init")
    git("add", ".")
    git("commit", "-m", "all")
    return tmp_path


def test_pages_raw_numbers_and_what_git_does_not_know_are_no_change(repository):
    clean = commit(repository)
    assert len(clean) >= 7
    for name in (PAGE, NUMBERS, "README.md", "package/new.py"):
        (repository / name).write_text("other")
    assert commit(repository / "benchmarks") == clean


def test_code_that_is_not_committed_is_told(repository):
    clean = commit(repository)
    (repository / CODE).write_text("other")
    assert commit(repository) == commit(repository / "benchmarks") == f"{clean}-dirty"


def test_outside_a_repository_there_is_none(tmp_path):
    assert commit(tmp_path) is None


async def test_a_window_begins_when_all_workers_are_busy():
    async def ask(item):
        await asyncio.sleep(0.01)

    events = []
    level = Level(4, 0.2)
    await level.run(ask, range(10_000), events.append)
    assert level.window_seconds == pytest.approx(0.2, abs=0.1)
    assert 4 <= len(level.latencies_ms) <= 4 * 31
    assert events == ["began", "ended"]


async def test_a_fixed_number_is_asked_and_failures_are_counted():
    async def ask(item):
        if item == 2:
            raise ValueError("no")

    level = Level(2, math.inf)
    await level.run(ask, range(5))
    assert (len(level.latencies_ms), level.errors) == (4, ["ValueError: no"])


def test_commands_that_have_ended_are_in_the_cpu_time():
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    parent = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        "print('done', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        footprint = Footprint(process.pid)
        assert footprint.cpu_seconds() >= 0.28
        assert footprint.family() == [psutil.Process(process.pid)]
        process.stdin.close()
