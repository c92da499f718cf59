# SPDX-License-Identifier: Apache-2.0
"""The file that lists the backends of `describe`: what it may hold, and how it is rejected."""

import json
from pathlib import Path

import pytest

from trireel_backend.describing.configuration import key_of, load_backends
from trireel_backend.errors import StartupError
from trireel_backend.launch.repository.describe import find_describe

ROOT = Path(__file__).parents[4]
OPENAI = {"name": "a", "kind": "openai", "model": "m", "url": "http://127.0.0.1:1/v1"}
LOCAL = {"name": "b", "kind": "transformers", "model": "org/model"}


@pytest.fixture
def write(tmp_path):
    def written(entries):
        path = tmp_path / "backends.json"
        path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
        return path

    return written


def test_the_order_and_the_defaults(write):
    first, second = load_backends(write([OPENAI, {**LOCAL, "chats": False, "seconds": 5}]))
    assert (first.name, first.sees, first.chats, first.seconds) == ("a", True, True, 60.0)
    assert (second.name, second.chats, second.seconds) == ("b", False, 5.0)


def test_a_model_folder_is_relative_to_the_file(write, tmp_path):
    (tmp_path / "checkpoint").mkdir()
    (backend,) = load_backends(write([{**LOCAL, "model": "checkpoint"}]))
    assert backend.model == str(tmp_path / "checkpoint")


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ("{", "is not JSON"),
        ([], "is not a list of 1 to 16 backends"),
        ({"name": "a"}, "is not a list"),
        ([7], "backend 1 is not an object"),
        ([{"name": "a"}], "lacks kind, model"),
        ([OPENAI, {**LOCAL, "colour": "red"}], "backend 2 has 'colour'"),
        ([{**OPENAI, "kind": "magic"}], "kind is 'magic': give transformers or openai"),
        ([{**OPENAI, "seconds": "5"}], "seconds is '5': give a value of type float"),
        ([{**OPENAI, "seconds": 0}], "seconds is 0"),
        ([{**OPENAI, "sees": 1}], "sees is 1: give a value of type bool"),
        ([{**OPENAI, "sees": False, "chats": False}], "neither sees nor chats"),
        ([{**OPENAI, "model": " "}], "model is blank"),
        ([{**OPENAI, "bits": 4}], "bits is for kind transformers"),
        ([{**LOCAL, "url": "http://x"}], "url is for kind openai"),
        ([{**LOCAL, "bits": 3}], "bits is 3: give 4 or 8"),
        ([{**OPENAI, "url": "ftp://x"}], "give an address like"),
        ([{**OPENAI, "url": "http://example.com", "key_env": "K"}], "unencrypted to example.com"),
        ([{**OPENAI, "tokens_per_minute": -1}], "tokens_per_minute is negative"),
        ([OPENAI, {**LOCAL, "name": "a"}], "two backends have the name 'a'"),
    ],
)
def test_a_wrong_file_is_rejected_in_one_sentence(write, entries, sentence):
    with pytest.raises(StartupError) as caught:
        load_backends(write(entries))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_rejected(tmp_path):
    with pytest.raises(StartupError, match="cannot be read"):
        load_backends(tmp_path / "none.json")


def test_a_key_comes_from_the_environment(write, monkeypatch):
    (backend,) = load_backends(write([{**OPENAI, "key_env": "A_KEY"}]))
    monkeypatch.setenv("A_KEY", "secret")
    assert key_of(backend) == "secret"
    monkeypatch.delenv("A_KEY")
    with pytest.raises(StartupError, match="A_KEY, which is not set"):
        find_describe(write([{**OPENAI, "key_env": "A_KEY"}]))


def test_a_server_without_a_file_says_nothing():
    assert find_describe(None) == (None, "")


def test_a_local_model_needs_pytorch(write, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    file, sentence = find_describe(write([LOCAL]))
    assert file is None
    assert "backend 'b' needs torch and transformers" in sentence


@pytest.mark.parametrize("file", ["export/vlm/backends.json", "deploy/describe/backends.json"])
def test_the_files_that_come_along_are_allowed(file):
    assert load_backends(ROOT / file)
