# SPDX-License-Identifier: Apache-2.0
"""The command, as far as it goes without a server's media."""

import json
import sys

import pytest
from rich.console import Console
from typer.testing import CliRunner
from unit.client.load_test.made import result
from unit.client.scripted import whole_video

from trireel_client._cli import app
from trireel_client.load_test import command
from trireel_client.load_test.terminal import show_result

QUICK = ("--duration", "0.5", "--warm-up", "0.1", "--concurrency", "1")


@pytest.fixture(autouse=True)
def plain_wide_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments):
    return CliRunner().invoke(app, ["load-test", *map(str, arguments)])


@pytest.mark.parametrize(("module", "package"), command.EXTRA.items())
def test_a_missing_extra_is_one_sentence(monkeypatch, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    done = run("--video", "a.mp4", "--server-path")
    assert done.exit_code == 1
    assert done.stderr == (
        f"trireel: load tests need {package}: pip install 'trireel-client[load-test]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--mode", "stream", "--protocol", "http"), "--mode stream needs --protocol grpc"),
        (("--concurrency", "1,x"), "'x' is not a number of workers"),
        (("--rate", "0"), "'0' is not a rate"),
        (("--duration", "0"), "duration_seconds is 0.0"),
        (("--url", "here"), "'here' is not an address"),
        (("--metrics-url", "127.0.0.1:9"), "no metrics at http://127.0.0.1:9/metrics"),
        (("--server-pid", "999999999"), "process 999999999 cannot be watched"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(grpc_only, arguments, sentence):
    done = run("--video", "a.mp4", "--server-path", "--url", grpc_only.url, *arguments)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert done.stderr.splitlines()[-1].startswith("trireel: ")
    assert "Traceback" not in done.output


def test_a_file_that_is_not_here_is_no_failure_of_the_server(grpc_only):
    done = run("--video", "not-here.mp4", "--url", grpc_only.url)
    assert done.exit_code == 1
    assert "there is no file 'not-here.mp4' on this machine" in done.stderr
    assert grpc_only.script.asked == []


def test_a_test_is_shown_and_written(server, tmp_path):
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    done = run(
        *("--video", "a.mp4", "--server-path", "--url", server.url, "--protocol", server.protocol),
        *QUICK,
        *("--tags", "a cat, a dog", "--report", tmp_path / "out"),
    )
    assert done.exit_code == 0, done.output
    assert "concurrency 1" in done.stdout
    assert "Busy time of a video by stage" in done.stdout
    assert "give --metrics-url to have the server's" in done.stderr
    data = json.loads((tmp_path / "out/results.json").read_text())
    assert data["levels"][0]["counts"]["ok"] > 0
    assert data["plan"]["options"] == {"tags": ["a cat", "a dog"]}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.html",
        "results.json",
        "levels.csv",
    }


def test_a_test_in_which_nothing_is_answered_fails(grpc_only):
    done = run("--video", "a.mp4", "--server-path", "--url", grpc_only.url, *QUICK)
    assert done.exit_code == 1
    assert "unknown model 'video_analysis'" in done.stdout
    assert "0.0%" in done.stdout


def test_all_of_a_result_is_printed(capsys):
    show_result(Console(width=200), result())
    printed = capsys.readouterr().out
    for words in (
        "concurrency 2",
        "p99/p50",
        "Busy time of a video by stage, mean ms",
        "CPU, memory, GPU",
        "Failures and refusals, warm-up included",
        "no such file",
        "Models, concurrency 1",
        "What bounds it, at concurrency 1",
        "nothing yet: no instances, CPU or GPU are full",
        "a note",
    ):
        assert words in printed
