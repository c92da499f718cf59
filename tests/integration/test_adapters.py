# SPDX-License-Identifier: Apache-2.0
"""Videos analysed inside of Ray Data and Daft, and the analyzer by itself.

Ray and Daft are not installed with the tests. With a Python that has them, the tests run them:

    python -m venv .venv/ray
    .venv/ray/bin/pip install ./schema ./client ./app "ray[data]==2.60.0" "daft==0.7.26" "numpy<2"
    TRIREEL_RAY_PYTHON=.venv/ray/bin/python pytest tests/integration/test_adapters.py
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from trireel_app.adapters import TrireelAnalyzer
from trireel_app.analyse.servers import NoServer

RAY_PYTHON = os.environ.get("TRIREEL_RAY_PYTHON")
ENGINES = Path(__file__).parents[1] / "support/engines.py"
needs_ray = pytest.mark.skipif(
    RAY_PYTHON is None, reason="TRIREEL_RAY_PYTHON names no Python with Ray and Daft"
)


@pytest.fixture(scope="module")
def analyzer(server):
    analyzer = TrireelAnalyzer(server.grpc_url, chunk_seconds=5.0)
    yield analyzer
    analyzer.close()


def test_a_row_becomes_a_row_for_each_clip(analyzer, media, client):
    video = str(media / "clip.mp4")
    rows = analyzer({"video_path": video, "camera": 7})
    chunks = client.analyze(video, chunk_seconds=5.0).chunks
    assert len(rows) == len(chunks) == 3
    for row, chunk in zip(rows, chunks, strict=True):
        assert row["clip_index"] == chunk.index
        assert (row["start_sec"], row["end_sec"]) == (chunk.start_seconds, chunk.end_seconds)
        assert row["summary"] == ", ".join(tag.text for tag in chunk.tags)
        assert (row["camera"], row["error"], row["embedding"]) == (7, "", None)


def test_a_batch_becomes_a_table(analyzer, media):
    names = [str(media / name) for name in ("clip.mp4", "text.mp4", "missing.mp4")]
    batch = {"video_path": np.array(names), "camera": np.array([1, 2, 3])}
    table = analyzer(batch)
    assert table["camera"].to_pylist() == [1, 1, 1, 2, 3]
    assert [bool(error) for error in table["error"].to_pylist()] == [False] * 3 + [True] * 2
    assert "missing.mp4" in table["error"].to_pylist()[-1]
    assert table["clip_index"].to_pylist() == [0, 1, 2, None, None]
    # The schema is the same for every batch, so that an engine can put them together.
    assert table.drop_columns("camera").schema == analyzer.schema()
    assert analyzer(pa.table(batch)).equals(table)


def test_embeddings_of_frames(server, media):
    analyzer = TrireelAnalyzer(server.grpc_url, rows="frames", with_embeddings=True)
    (rows,) = analyzer.rows([str(media / "clip.mp4")])
    assert len(rows) == 32
    assert np.isclose(np.linalg.norm(rows[3]["embedding"]), 1, atol=1e-5)
    analyzer.close()


def test_a_lost_server_stops_the_dataset():
    analyzer = TrireelAnalyzer("127.0.0.1:9", wait_seconds=0.1)
    with pytest.raises(NoServer):
        analyzer({"video_path": "/clips/a.mp4"})
    analyzer.close()


@needs_ray
@pytest.mark.parametrize("engine", ["ray", "daft"])
def test_an_engine_runs_the_analyzer(engine, server, media, tmp_path):
    videos = [str(media / name) for name in ("clip.mp4", "text.mp4")]
    output = tmp_path / "rows.json"
    command = [RAY_PYTHON, str(ENGINES), engine, server.grpc_url, str(output), *videos]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    for rows in json.loads(output.read_text()).values():
        assert [row["clip_index"] for row in rows] == [0, 1, None]
        assert [row["video_path"] for row in rows] == [videos[0], videos[0], videos[1]]
        assert all(row["summary"] for row in rows[:2])
        assert rows[2]["error"]
