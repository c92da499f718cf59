# SPDX-License-Identifier: Apache-2.0
"""Files of texts: comments, blank lines, repeated lines, and files that are none."""

from pathlib import Path

import pytest

from trireel_schema.errors import FileDamaged, FileMissing
from trireel_schema.text_lists import read_text_list


def test_comments_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "tags.txt"
    path.write_text("\ufeff# places\n\nCity street \n  # more\n\tcafé\nC# code\n", "utf-8")
    read = read_text_list(path)
    assert read.texts == ("City street", "café", "C# code")
    assert read.remarks == ()


def test_repeated_lines_are_told_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "tags.txt"
    path.write_text("park\n# a comment\nbeach\n Park\npark\n")
    read = read_text_list(path)
    assert read.texts == ("park", "beach")
    assert read.remarks == (
        f"{path}, line 4 says the same as line 1, 'Park': it is left out",
        f"{path}, line 5 says the same as line 1, 'park': it is left out",
    )


@pytest.mark.parametrize("content", [b"", b"\n \n", b"# only a comment\n"])
def test_a_file_without_texts(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tags.txt"
    path.write_bytes(content)
    with pytest.raises(FileDamaged, match="holds no texts"):
        read_text_list(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="there is no file"):
        read_text_list(tmp_path / "nowhere.txt")
    with pytest.raises(FileDamaged, match="not a readable UTF-8 text file"):
        read_text_list(tmp_path)
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(FileDamaged, match="not a readable UTF-8 text file"):
        read_text_list(tmp_path / "latin.txt")
