# SPDX-License-Identifier: Apache-2.0
"""What raw numbers tell of the code that they were measured with."""

import subprocess

import pytest

from benchmarks.common.versions import commit

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
