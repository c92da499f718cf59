# SPDX-License-Identifier: Apache-2.0
"""Accidents of a checkpoint's folder: one sentence each."""

import shutil
from pathlib import Path

import pytest

from trireel_export.detector.checkpoint import load_detector
from trireel_export.errors import CheckpointNotLoaded, UnsupportedCheckpoint
from trireel_export.siglip.checkpoint import load_checkpoint

TINY = Path(__file__).parents[3] / "export/tiny/checkpoint"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(TINY, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_pointer_of_git_lfs_is_named(folder, name):
    (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    with pytest.raises(
        CheckpointNotLoaded, match=f"{name} is a git-LFS pointer, .*: run `git lfs pull`"
    ):
        load_checkpoint(str(folder))


@pytest.mark.parametrize(("kept", "missing"), [(-1000, "1,000"), (500, ""), (3, "5")])
def test_weights_that_were_cut_off_are_named(folder, kept, missing):
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:kept])
    with pytest.raises(CheckpointNotLoaded, match=f"was cut off, {missing}.* are missing"):
        load_checkpoint(str(folder))


@pytest.mark.parametrize(
    ("config", "base"),
    [('{"base_model_name_or_path": "google/siglip"}', " of google/siglip"), ("{", "")],
)
def test_an_adapter_needs_its_base(folder, config, base):
    (folder / "config.json").unlink()
    (folder / "adapter_config.json").write_text(config)
    with pytest.raises(UnsupportedCheckpoint, match=f"is an adapter{base}, not a whole checkpoint"):
        load_checkpoint(str(folder))


def test_a_detectors_accidents_are_named_too(tmp_path):
    folder = Path(shutil.copytree(TINY.parents[1] / "detector/checkpoint", tmp_path / "copy"))
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-1000])
    with pytest.raises(CheckpointNotLoaded, match="was cut off, 1,000 of its bytes are missing"):
        load_detector(str(folder))
