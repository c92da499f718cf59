# SPDX-License-Identifier: Apache-2.0
"""The models' parameters for a run's folders."""

import pytest

from trireel_backend.errors import StartupError
from trireel_backend.launch.folders import folder_id, folder_parameters
from trireel_backend.launch.run_folder import RunFolder


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "run")


def test_the_operators_values_do_not_change_the_folders(run, tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "link").symlink_to("videos")
    (tmp_path / "spool").mkdir()
    values = {"spool_max_bytes": "5", "source_max_bytes": "5", "media_root": "/", "admission": "/"}
    parameters = folder_parameters(
        values, media=tmp_path / "link", spool=tmp_path / "spool", run=run
    )
    assert parameters == {
        "spool_max_bytes": "5",
        "source_max_bytes": "5",
        "media_root": str(tmp_path / "videos"),
        "media_root_id": folder_id(tmp_path / "videos"),
        "spool": str(tmp_path / "spool"),
        "admission": str(tmp_path / "run/admission"),
    }


def test_a_folder_has_more_than_a_name(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    boot, device, inode = folder_id(tmp_path).split(":")
    assert len(boot) == 36
    assert (int(device), int(inode)) == (tmp_path.stat().st_dev, tmp_path.stat().st_ino)
    assert folder_id(tmp_path / "link") == folder_id(tmp_path)
    assert folder_id(tmp_path / "none") == ""


def test_a_missing_folder_and_an_invalid_limit_are_rejected(run, tmp_path):
    with pytest.raises(StartupError, match=r"none is not a folder: create it"):
        folder_parameters({}, media=tmp_path, spool=tmp_path / "none", run=run)
    with pytest.raises(StartupError, match="source_max_bytes is 0: give 1 to"):
        folder_parameters({"source_max_bytes": "0"}, media=tmp_path, spool=tmp_path, run=run)


def test_a_media_folder_may_have_any_name_in_utf8(run, tmp_path):
    for name in ("vidéo 's", '录 "ü"', "caf\udce9"):
        (tmp_path / name).mkdir()
    (tmp_path / "spool").mkdir()
    for name in ("vidéo 's", '录 "ü"'):
        parameters = folder_parameters({}, media=tmp_path / name, spool=tmp_path / "spool", run=run)
        assert parameters["media_root"] == str(tmp_path / name)
    with pytest.raises(StartupError, match="has a name that is not UTF-8: rename it"):
        folder_parameters({}, media=tmp_path / "caf\udce9", spool=tmp_path / "spool", run=run)
