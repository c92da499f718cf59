# SPDX-License-Identifier: Apache-2.0
"""The model `describe` with the bundled tiny model: right answers, pieces, batches, processes."""

import json
import os
import signal
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from integration.conftest import served_alone
from support.describing import Describer, Refused, ask_all, resident_bytes

from trireel_drawings.describing.measure import GOALS, held_out, shares

ROOT = Path(__file__).parents[2]
CHECKPOINT = ROOT / "export/vlm/checkpoint"
WORKER = "trireel_backend.describing.local.worker"
SCENES = 110
BLACK = np.zeros((1, 90, 160, 3), np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, BLACK.shape, np.uint8)
IDLE_SECONDS = 3.0
LEAST_FREED_BYTES = 100 * 2**20  # PyTorch alone takes more
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("describe")
    entry = {"name": "tiny", "kind": "transformers", "model": str(CHECKPOINT), "device": "cpu"}
    backends = [{**entry, "chats": False, "idle_seconds": IDLE_SECONDS, "failures": 100}]
    (folder / "backends.json").write_text(json.dumps(backends))
    with served_alone(folder, "describe", describe=folder / "backends.json") as address:
        yield address


@pytest.fixture
def describer(url):
    with closing(Describer(url)) as client:
        yield client


@pytest.fixture(scope="module")
def questions():
    return [each for each in held_out(SCENES) if each.question.kind in GOALS]


def workers():
    """Return the ids of the processes of models that the servers of this process started."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            if any(WORKER in word for word in process.cmdline()):
                found.append(process.pid)
    return found


def test_held_out_questions_reach_their_goals(url, questions):
    found = shares(questions, lambda part: ask_all(url, part))
    missed = {kind: found[kind] for kind, goal in GOALS.items() if found[kind] < goal}
    assert missed == {}


def test_an_answer_comes_in_pieces_that_join(describer, questions):
    question = questions[0]
    pieces = list(describer.pieces(question.question.text, question.pictures))
    assert "".join(piece.text for piece in pieces) == question.question.answer
    assert [piece.finish for piece in pieces[:-1]] == [""] * (len(pieces) - 1)
    assert (pieces[-1].finish, pieces[-1].backend) == ("stop", "tiny")
    counts = [piece.num_tokens for piece in pieces]
    assert counts == sorted(counts)


def test_a_batch_answers_as_single_questions_do(url, describer, questions):
    part = [(each.pictures, each.question.text) for each in questions[:8]]
    alone = [describer.ask(text, pictures) for pictures, text in part]
    assert ask_all(url, part) == alone


def test_the_longest_answer_is_kept(describer):
    (*_, last) = describer.pieces("Describe the picture.", BLACK, MAX_TOKENS=2)
    assert (last.num_tokens, last.finish) == (2, "length")


def test_a_seed_decides_the_variety(describer):
    def answers():
        options = {"TEMPERATURE": 2.0, "MAX_TOKENS": 12}
        prompt = "Describe the picture."
        return [describer.ask(prompt, NOISE, SEED=seed, **options) for seed in range(6)]

    first = answers()
    assert answers() == first
    assert len(set(first)) > 1


@pytest.mark.parametrize(
    ("prompt", "pictures", "options", "sentence"),
    [
        (" ", BLACK, {}, "PROMPT is blank"),
        ("What?", None, {}, "no backend of this server answers questions without pictures"),
        ("What?", np.zeros((17, 4, 4, 3), np.uint8), {}, "IMAGES holds 17 pictures"),
        ("What?", np.zeros((1, 1, 9, 3), np.uint8), {}, "IMAGES are 9 x 1 pixels"),
        ("What?", BLACK, {"MAX_TOKENS": 0}, "MAX_TOKENS is 0"),
        ("What?", BLACK, {"TEMPERATURE": 9.0}, "TEMPERATURE is 9"),
        ("What?", BLACK, {"HISTORY": "[1]"}, "HISTORY is not a JSON list"),
        ("x" * 40_000, BLACK, {}, "have 40000 characters"),
    ],
)
def test_a_wrong_question_gets_one_sentence(describer, prompt, pictures, options, sentence):
    with pytest.raises(Refused, match=sentence):
        describer.ask(prompt, pictures, **options)


def test_the_next_question_starts_a_killed_process(describer):
    describer.ask("Describe the picture.", BLACK)
    (process_id,) = workers()
    os.kill(process_id, signal.SIGKILL)
    while workers():
        time.sleep(0.05)
    assert describer.ask("Describe the picture.", BLACK)
    assert workers() not in ([], [process_id])


def test_an_idle_model_is_unloaded_and_its_memory_free(describer):
    describer.ask("Describe the picture.", BLACK)
    (process_id,) = workers()
    used_bytes = resident_bytes(process_id)
    end = time.monotonic() + PATIENCE_SECONDS
    while workers() and time.monotonic() < end:
        time.sleep(0.1)
    assert used_bytes > LEAST_FREED_BYTES
    assert resident_bytes(process_id) == 0
    assert describer.ask("Describe the picture.", BLACK)  # it is loaded again
