# SPDX-License-Identifier: Apache-2.0
"""The examples for other clients: each file of docs/examples runs, and the page shows it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "media/sample.mp4"
EXAMPLES = ROOT / "docs/examples"
PAGE = ROOT / "docs/other-clients.md"
CAPTIONS = ("Traffic moving along a busy road", "A person cooking at a stove")


def printed(*command: object, status: int = 0) -> str:
    """Run a command; return its output, or the end of its errors if it is to fail."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"this machine has no {program}")
    return found


@pytest.mark.parametrize("file", sorted(EXAMPLES.iterdir()), ids=lambda file: file.name)
def test_the_page_shows_each_example_as_it_is(file: Path) -> None:
    assert f"\n{file.read_text()}```" in PAGE.read_text()


def test_tritonclient_gets_a_whole_video(server) -> None:
    caption, tag, shape = printed(
        sys.executable, EXAMPLES / "whole_video.py", server.grpc_url, "sample.mp4"
    ).splitlines()
    assert caption == "A waiter carrying a tray of drinks"
    assert tag.startswith("gym 0.")
    assert shape.startswith("embeddings (")


def test_tritonclient_gets_chunks(server) -> None:
    example = EXAMPLES / "chunk_by_chunk.py"
    lines = printed(sys.executable, example, server.grpc_url, "sample.mp4").splitlines()
    assert len(lines) == 6
    assert lines[:2] == [f"{at} s: {text}" for at, text in zip((0, 10), CAPTIONS, strict=True)]
    message = printed(sys.executable, example, server.grpc_url, "nowhere.mp4", status=1)
    assert message.startswith("rejected: ")
    assert "nowhere.mp4" in message


def test_tritonclient_gets_binary_embeddings(server) -> None:
    lines = printed(
        sys.executable, EXAMPLES / "embeddings.py", server.http_url, "sample.mp4"
    ).splitlines()
    assert len(lines) == 3
    assert all(line.endswith("length 1.000") for line in lines)


def test_node_gets_chunks(server) -> None:
    example = EXAMPLES / "stream.mjs"
    lines = printed(need("node"), example, server.http_url, "sample.mp4").splitlines()
    assert len(lines) == 6
    assert lines[:2] == [f"{at} s: {text}" for at, text in zip((0, 10), CAPTIONS, strict=True)]
    assert "nowhere.mp4" in printed(need("node"), example, server.http_url, "nowhere.mp4", status=1)


def test_node_sends_a_file(server) -> None:
    lines = printed(need("node"), EXAMPLES / "upload.mjs", server.http_url, SAMPLE).splitlines()
    assert 'CAPTION_TEXT ["A waiter carrying a tray of drinks"]' in lines
    assert "SCENE_TIMESTAMPS [8.2,21.52,26.36,40.48,44.28,47.32]" in lines


def test_go_gets_a_whole_video(server) -> None:
    example = EXAMPLES / "analyze.go"
    caption, cuts = printed(need("go"), "run", example, server.http_url, "sample.mp4").splitlines()
    assert caption == "A waiter carrying a tray of drinks"
    assert cuts == "[8.2 21.52 26.36 40.48 44.28 47.32]"
