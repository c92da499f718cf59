# SPDX-License-Identifier: Apache-2.0
"""`trireel ask` on a library and a server on loopback."""

import json

import pytest
import typer
from support.talking import CLIP, OTHER, keeper_of, talker
from typer.testing import CliRunner

from trireel_app.commands.ask import ask

CITED = "[clip.mp4 00:05.500]"
QUESTION = "When is red yard 1?"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    keeper_of(folder, CLIP, OTHER)
    return folder


@pytest.fixture
def server():
    with talker() as running:
        running.text = lambda prompt: f"Here {CITED}\x1b[31m, not there [x 00:00.000]."
        yield running


def run(server, library, *arguments, status=0):
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(ask)
    place = ["--library", str(library), "--url", server.address]
    done = CliRunner().invoke(app, [*map(str, arguments), *place], catch_exceptions=False)
    assert done.exit_code == status, done.stderr
    return done


def test_an_answer_is_printed(server, library):
    done = run(server, library, QUESTION)
    assert done.stdout == f"Here {CITED} (31m, not there.\n"
    assert done.stderr.startswith("trireel: wrong citations of the model were taken out: [x 00:00")


def test_json_has_the_citations(server, library):
    answer = json.loads(run(server, library, QUESTION, "--json").stdout)
    assert answer["mode"] == "model"
    assert answer["citations"][0]["video"] == CLIP.video_id
    assert answer["removed"] == ["[x 00:00.000]"]


def test_the_videos_can_be_chosen(server, library):
    assert run(server, library, QUESTION, "--video", "other").stdout == "I do not see that.\n"
    done = run(server, library, QUESTION, "--video", "nowhere", status=2)
    assert done.stderr == "trireel: --video is 'nowhere': the library has no such video\n"


def test_a_blank_question_is_rejected(server, library):
    assert "is blank" in run(server, library, " ", status=2).stderr
