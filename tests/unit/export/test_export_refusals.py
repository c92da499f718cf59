# SPDX-License-Identifier: Apache-2.0
"""What an export refuses before it loads any weights, and the command around it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import CLIPConfig, Siglip2Config
from typer.testing import CliRunner

from trireel_export.bank import DEFAULT_DESCRIPTIONS, DEFAULT_TAGS, read_list
from trireel_export.cli import app
from trireel_export.errors import (
    BadList,
    BadOutput,
    BadSetting,
    CheckpointNotLoaded,
    UnsupportedCheckpoint,
)
from trireel_export.export import EVERY_FILE, export
from trireel_export.output import replacing, require_replaceable
from trireel_export.siglip.checkpoint import load_checkpoint


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "holds no texts: give it one text a line"),
        ("# kitchen\n\n", "holds no texts"),
        (b"caf\xe9\n", "not a readable UTF-8 text file"),
    ],
)
def test_a_bad_list_is_refused(tmp_path: Path, content: str | bytes, match: str):
    tags = tmp_path / "tags.txt"
    tags.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadList, match=match):
        export("unused", tmp_path / "model", tags=tags)


def test_a_list_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(BadList, match=r"there is no file .*nowhere\.txt"):
        read_list(tmp_path / "nowhere.txt")


def test_a_list_is_read_as_written(tmp_path: Path):
    tags = tmp_path / "tags.txt"
    tags.write_text("\ufeffCity street \r\ncafé", encoding="utf-8")
    assert read_list(tags) == ("City street", "café")
    tags.write_text("# places\n\npark\nPark\n")
    told: list[str] = []
    assert read_list(tags, told.append) == ("park",)
    assert told == [f"{tags}, line 4 says the same as line 3, 'Park': it is left out"]


@pytest.mark.parametrize("default", [DEFAULT_TAGS, DEFAULT_DESCRIPTIONS])
def test_the_default_lists_have_twenty_texts(default: Path):
    assert len(read_list(default)) == 20


def test_an_output_that_is_a_file_is_refused(tmp_path: Path):
    (tmp_path / "model").write_text("mine")
    with pytest.raises(BadOutput, match="is a file, the export is a folder"):
        export("unused", tmp_path / "model")


def test_an_output_with_other_things_in_it_is_refused(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadOutput, match=r"holds 'thesis\.txt', which is not part of an export"):
        export("unused", tmp_path)


@pytest.mark.parametrize(
    ("setting", "value", "match"),
    [
        ("opset", 9, "opset is 9: give a number from 18 to 23"),
        ("scene_threshold", 0.0, "scene threshold is 0.0"),
        ("scene_threshold", float("nan"), "scene threshold is nan"),
        ("scene_alpha", 1.5, "scene alpha is 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, setting: str, value: float, match: str):
    with pytest.raises(BadSetting, match=match):
        export("unused", tmp_path / "model", **{setting: value})
    assert list(tmp_path.iterdir()) == []


def test_naflex_is_refused(tmp_path):
    Siglip2Config().save_pretrained(tmp_path / "naflex")
    with pytest.raises(UnsupportedCheckpoint, match=r"NaFlex .* fixed resolution"):
        load_checkpoint(str(tmp_path / "naflex"))


def test_other_models_are_refused(tmp_path):
    CLIPConfig().save_pretrained(tmp_path / "clip")
    with pytest.raises(UnsupportedCheckpoint, match="type 'clip': only SigLIP"):
        load_checkpoint(str(tmp_path / "clip"))


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointNotLoaded, match="does not load as a Hugging Face folder"):
        load_checkpoint(str(tmp_path))


@pytest.fixture
def own_signals():
    """Give back what this process did on signals, after a command that unwinds on them."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
def test_the_command_says_in_one_sentence_why_it_stops(tmp_path: Path):
    result = CliRunner().invoke(app, [str(tmp_path / "none"), "--output", str(tmp_path / "model")])
    assert result.exit_code == 1
    assert "Not exported:" in result.stderr
    assert "does not load as a Hugging Face folder or hub name" in " ".join(result.stderr.split())
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


STOPPED_HALF_WAY = """
import os, signal, sys
import trireel_export.cli, trireel_export.export
def half(*_, **__):
    from pathlib import Path
    with trireel_export.output.replacing(Path(sys.argv[2])):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
trireel_export.export.export = half
trireel_export.cli.app(["checkpoint", "--output", sys.argv[2]])
"""


def test_a_command_that_is_stopped_fails_and_leaves_nothing(tmp_path: Path):
    command = [sys.executable, "-c", STOPPED_HALF_WAY, "-", str(tmp_path / "model")]
    assert subprocess.run(command).returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_an_output_behind_a_link_is_replaced_where_it_is(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "model").symlink_to("elsewhere")
    with replacing(tmp_path / "model") as folder:
        (folder / "new").touch()
    assert (tmp_path / "model").is_symlink()
    assert (tmp_path / "elsewhere/new").exists()
    assert len(list(tmp_path.iterdir())) == 2


def test_an_output_that_cannot_be_replaced_is_refused_first():
    with pytest.raises(BadOutput, match="/proc is a mount point, which cannot be replaced"):
        require_replaceable(Path("/proc"), EVERY_FILE)


def test_a_typing_mistake_does_not_wait_for_torch():
    code = "import sys, trireel_export.cli; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
