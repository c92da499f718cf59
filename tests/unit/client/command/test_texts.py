# SPDX-License-Identifier: Apache-2.0
"""Tags and descriptions of a command line and of files."""

from pathlib import Path

import pytest
from typer.testing import CliRunner
from unit.client.loopback import Loopback
from unit.client.scripted import whole_video

from trireel_client._command.cli import app


@pytest.fixture
def ready(grpc_only: Loopback) -> Loopback:
    """A server that knows one video."""
    grpc_only.script.answers["video_analysis"] = lambda asked: whole_video()
    return grpc_only


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A file with three texts, one of them twice."""
    path = tmp_path / "texts.txt"
    path.write_text("# mine\na dog\n\na cat, asleep\nA dog\nun café\n", "utf-8")
    return path


def run(server: Loopback, *arguments: str):
    where = ["a.mp4", "--server-path", "--url", server.url]
    return CliRunner().invoke(app, ["analyze", *where, *arguments])


@pytest.mark.parametrize(
    ("option", "tensor"), [("--tags", "TAGS"), ("--descriptions", "DESCRIPTIONS")]
)
@pytest.mark.parametrize("form", ["{option}-file={path}", "{option}=@{path}"])
def test_texts_of_a_file(ready: Loopback, texts: Path, option: str, tensor: str, form: str) -> None:
    result = run(ready, form.format(option=option, path=texts))
    assert result.exit_code == 0, result.stderr
    sent = [text.decode() for text in ready.script.asked[0].inputs[tensor]]
    assert sent == ["a dog", "a cat, asleep", "un café"]
    assert result.stderr == (
        f"trireel: {texts}, line 5 says the same as line 2, 'A dog': it is left out\n"
    )


def test_descriptions_keep_their_commas(ready: Loopback) -> None:
    result = run(ready, "--descriptions", "A dog, asleep", "--descriptions", "A cat")
    assert result.exit_code == 0, result.stderr
    inputs = ready.script.asked[0].inputs
    assert list(inputs["DESCRIPTIONS"]) == [b"A dog, asleep", b"A cat"]
    assert "TAGS" not in inputs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tags", "@nowhere.txt"], "there is no file 'nowhere.txt'"),
        (["--descriptions-file", "/"], "not a readable UTF-8 text file"),
        (["--tags", "a", "--tags-file", "b"], "got both of --tags and --tags-file"),
        (
            ["--descriptions", "a", "--descriptions-file", "b"],
            "got both of --descriptions and --descriptions-file",
        ),
    ],
)
def test_texts_that_cannot_be_used(ready: Loopback, arguments: list[str], message: str) -> None:
    result = run(ready, *arguments)
    assert result.exit_code == 2
    assert message in " ".join(word for word in result.stderr.split() if word != "│")
    assert not ready.script.asked
