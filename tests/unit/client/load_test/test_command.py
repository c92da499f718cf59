# SPDX-License-Identifier: Apache-2.0
"""The command, as far as it goes without a server's media."""

import json
import os
import sys

import pytest
from rich.console import Console
from typer.testing import CliRunner
from unit.client.load_test.made import result
from unit.client.scripted import Refused, whole_video

from trireel_client._command.cli import app
from trireel_client.load_test import command
from trireel_client.load_test.show.report import check_folder
from trireel_client.load_test.show.terminal import show_result

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
    assert done.stderr == (f"trireel: load tests need {package}: pip install {package}\n")


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
        (("--tags", ""), "tags is empty"),
        (("--tags", " , ", "--mode", "sequence"), "tags is empty"),
        (("--report", "/proc"), "no report can be written to '/proc'"),
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
    assert f"give --metrics-url to read the metrics of the server at {server.url}" in done.stderr
    data = json.loads((tmp_path / "out/results.json").read_text())
    assert data["levels"][0]["counts"]["ok"] > 0
    assert data["plan"]["options"] == {"tags": ["a cat", "a dog"]}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.html",
        "results.json",
        "levels.csv",
    }


@pytest.mark.parametrize("name", ["report.html", "results.json", "levels.csv"])
def test_a_report_that_cannot_be_written_is_told_before_the_test(grpc_only, tmp_path, name):
    (tmp_path / name).mkdir()
    done = run(
        *("--video", "a.mp4", "--server-path", "--url", grpc_only.url, "--report", tmp_path), *QUICK
    )
    assert done.exit_code == 1
    assert done.stderr == f"trireel: no report can be written to '{tmp_path}': Is a directory\n"
    assert grpc_only.script.asked == []


def test_a_report_that_is_there_stays_until_the_test_has_ended(tmp_path):
    (tmp_path / "report.html").write_text("the last one")
    check_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "the last one"


def test_a_file_whose_name_is_not_utf_8_is_reported(grpc_only, tmp_path):
    grpc_only.script.answers["video_analysis"] = lambda asked: whole_video()
    video = tmp_path / os.fsdecode(b"\xff.mp4")
    video.write_bytes(b"moving pictures")
    done = run("--video", video, "--url", grpc_only.url, *QUICK, "--report", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "\\udcff.mp4" in (tmp_path / "out/report.html").read_text(encoding="utf-8")
    data = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    assert data["plan"]["videos"] == [str(video)]


@pytest.mark.parametrize("options", [(), ("--server-path",)])
def test_secrets_of_a_uri_are_neither_printed_nor_written(grpc_only, tmp_path, options):
    uri = "https://somebody:hunter2@host/a.mp4?X-Amz-Signature=s1gned#frag9"

    def answer(asked):
        assert asked.inputs["VIDEO"][0] == uri.encode()
        raise Refused("NOT_FOUND", 404, f"{uri!r} is not there")

    grpc_only.script.answers["video_analysis"] = answer
    done = run(
        *("--video", uri, *options, "--url", grpc_only.url, *QUICK, "--report", tmp_path / "out")
    )
    assert "'https://host/a.mp4' is not there" in done.stdout
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert "https://host/a.mp4" in written
    for secret in ("somebody", "hunter2", "s1gned", "frag9"):
        assert secret not in written + done.output


def test_a_test_in_which_nothing_is_answered_fails(grpc_only):
    done = run("--video", "a.mp4", "--server-path", "--url", grpc_only.url, *QUICK)
    assert done.exit_code == 1
    assert "unknown model 'video_analysis'" in done.stdout
    assert "nothing was measured: no video was answered; the most frequent error was" in done.stderr
    assert "nothing yet" not in done.output
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
