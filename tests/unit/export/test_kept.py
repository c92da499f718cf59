# SPDX-License-Identifier: Apache-2.0
"""Exports in the cache."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trireel_export.cli import app
from trireel_export.errors import CheckpointNotLoaded
from trireel_export.kept import kept_export
from trireel_schema.metadata import read_metadata
from trireel_schema.precision import Precision

TINY = Path(__file__).parents[3] / "export/tiny/checkpoint"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/trireel/exports"


def test_a_checkpoint_is_exported_once(tmp_path, cache, monkeypatch):
    told: list[str] = []
    folder = kept_export(str(TINY), progress=told.append)
    assert folder.parent == cache
    assert read_metadata(folder / "metadata.json").checkpoint == "checkpoint"
    assert any(sentence.startswith("Checking") for sentence in told)
    shutil.copytree(TINY, tmp_path / "copy")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    told.clear()
    assert kept_export(str(tmp_path / "copy"), progress=told.append) == folder
    assert told[-1] == f"Using the export in {folder}"


def test_other_weights_and_options_are_other_exports(tmp_path, cache, monkeypatch):
    made = []
    monkeypatch.setattr(
        "trireel_export.export.export", lambda source, output, **options: made.append(output)
    )
    kept_export(str(TINY))
    kept_export(str(TINY), precision=Precision.BF16)
    kept_export(str(TINY), note="a sentence")
    shutil.copytree(TINY, tmp_path / "copy")
    with (tmp_path / "copy/model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x01")
    kept_export(str(tmp_path / "copy"))
    assert len(set(made)) == 4


def test_no_checkpoint_is_one_sentence(tmp_path):
    with pytest.raises(CheckpointNotLoaded, match="is not a folder: give a folder or a hub name"):
        kept_export(str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointNotLoaded, match="holds no files of a checkpoint"):
        kept_export(str(tmp_path / "empty"))


def test_a_hub_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    result = CliRunner().invoke(app, ["cached", "nobody/none"])
    assert result.exit_code == 1
    assert "nobody/none is no folder here, and the hub does not give it" in " ".join(
        result.output.split()
    )
