# SPDX-License-Identifier: Apache-2.0
"""The models that read text are made of the right wheels, whole or not at all."""

import json
import shutil
import subprocess
import sys

import pytest
from support.text import published_wheels, text_folder

from trireel_backend.errors import MissingPart
from trireel_backend.launch.repository.text import find_text_models, text_sources
from trireel_backend.text_models import __main__ as command
from trireel_backend.text_models.files import (
    CHARACTERS_FILE,
    LARGE_DETECTOR_FILE,
    LIST_FILE,
    NEWER,
    RECOGNIZER_FILE,
    SMALL_DETECTOR_FILE,
    WHEELS,
    check_models,
    load_characters,
)
from trireel_backend.text_models.make import make_models


@pytest.fixture
def folder(tmp_path):
    """A copy of the models, for a test to damage."""
    return shutil.copytree(text_folder(), tmp_path / "text")


def test_models_are_made_with_their_licences(tmp_path):
    make_models(published_wheels(), tmp_path / "made")
    check_models(tmp_path / "made")
    assert "Apache License" in (tmp_path / "made/LICENSE.RapidOCR").read_text()
    assert "PaddleOCR" in (tmp_path / "made/NOTICE.PP-OCR.md").read_text()
    ours = {path.name: path.read_bytes() for path in text_folder().iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()} == ours


def test_a_wheel_too_few_leaves_the_models_as_they_are(folder):
    with pytest.raises(MissingPart, match=r"the wheel of rapidocr==3\.10\.0 is missing"):
        make_models(published_wheels()[1:], folder)
    check_models(folder)


def test_a_damaged_wheel_leaves_the_models_as_they_are(folder, tmp_path):
    older, newer = sorted(published_wheels(), key=lambda path: "onnxruntime" not in path.name)
    damaged = tmp_path / newer.name
    damaged.write_bytes(newer.read_bytes()[:-1])
    with pytest.raises(MissingPart, match=rf"has SHA-256 .* has {NEWER.sha256[:12]}"):
        make_models([older, damaged], folder)
    check_models(folder)


@pytest.mark.parametrize("name", [SMALL_DETECTOR_FILE, RECOGNIZER_FILE, CHARACTERS_FILE])
def test_a_damaged_file_is_found(folder, name):
    with (folder / name).open("ab") as file:
        file.write(b"?")
    with pytest.raises(MissingPart, match=r"damaged models.*: run scripts/setup"):
        check_models(folder)


@pytest.mark.parametrize("name", [LARGE_DETECTOR_FILE, LIST_FILE])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(MissingPart, match=rf"holds no models .*{name}: No such file"):
        check_models(folder)


@pytest.mark.parametrize("listed", ["", "[]", '{"sha256": 1}', '{"sha256": []}', "{}"])
def test_a_damaged_list_is_found(folder, listed):
    (folder / LIST_FILE).write_text(listed)
    with pytest.raises(MissingPart, match=r"damaged.*: run scripts/setup"):
        check_models(folder)


def test_models_of_another_version_are_found(folder):
    listed = json.loads((folder / LIST_FILE).read_text())
    (folder / LIST_FILE).write_text(json.dumps(listed | {"format": 0}, indent=1))
    with pytest.raises(MissingPart, match="another version of Trireel"):
        check_models(folder)


def test_each_code_has_a_character():
    characters = load_characters(text_folder())
    assert len(characters) == 18710
    assert (characters[0], characters[-1]) == ("", " ")
    assert all(len(character) == 1 for character in characters[1:])


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_characters_that_are_none_are_rejected(tmp_path, content):
    (tmp_path / CHARACTERS_FILE).write_text(content)
    with pytest.raises(MissingPart, match="run scripts/setup again"):
        load_characters(tmp_path)


def test_a_folder_without_the_models_is_named():
    with pytest.raises(MissingPart, match="is not there: give the folder"):
        text_sources(text_folder() / "none")


def test_a_server_without_the_models_says_why(tmp_path, monkeypatch):
    assert find_text_models(None) == (text_folder(), "")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    folder, sentence = find_text_models(None)
    assert folder is None
    assert sentence.startswith(f"text in pictures is not read: {tmp_path}/share/trireel/text holds")
    with pytest.raises(MissingPart):
        find_text_models(tmp_path)


def test_the_command_prints_what_pip_needs(capsys):
    assert command.main(["requirement"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [wheel.hashed_requirement for wheel in WHEELS]
    assert lines[1].startswith("rapidocr==3.10.0 --hash=sha256:2fc34e26")


def test_the_command_checks_what_it_makes(tmp_path, capsys):
    folder = ["--folder", str(tmp_path / "made")]
    assert command.main(["check", *folder]) == 1
    assert "holds no models that read text" in capsys.readouterr().err
    assert command.main(["make", *map(str, published_wheels()), *folder]) == 0
    assert command.main(["check", *folder]) == 0


def test_the_launcher_starts_without_reading_onnx():
    """Reading the library takes longer than everything else that the command loads."""
    code = "import sys, trireel_backend.launch.embedded.cli; print('onnx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
