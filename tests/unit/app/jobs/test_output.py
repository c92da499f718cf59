# SPDX-License-Identifier: Apache-2.0
"""Parts and outputs: formats, order, damage, and what a reader of Parquet finds."""

import hashlib
import json
from contextlib import suppress

import numpy as np
import pyarrow.parquet as pq
import pytest
from unit.client.scripted import FRAMES, NUM_CHUNKS, WIDTH, whole_video

from trireel_app.analyse.facts import Manifest
from trireel_app.analyse.video import VideoResult
from trireel_app.errors import InvalidOption, LibraryError
from trireel_app.jobs.job import (
    Form,
    Job,
    JobSpec,
    JobState,
    Outcome,
    Progress,
    RowKind,
    Video,
    VideoState,
)
from trireel_app.jobs.output import places
from trireel_app.jobs.output.assemble import assemble
from trireel_app.jobs.output.parts import encoded, part_address
from trireel_app.jobs.output.rows import rows_of
from trireel_app.jobs.submit import output_of
from trireel_app.sources.facts import SourceFacts
from trireel_app.sources.source import VideoSource
from trireel_client import ServerInfo
from trireel_client._flows.parse import parse_analysis

DONE = VideoState.DONE


def result_of(name: str, with_embeddings: bool = True, client_ms: float = 1.0) -> VideoResult:
    analysis = parse_analysis(
        whole_video(with_embeddings=with_embeddings),
        ("tags", "caption", "scenes"),
        stream_id=name,
        server=ServerInfo("triton", "2.51.0"),
        client_ms=client_ms,
    )
    manifest = Manifest(source=SourceFacts(1, "00"), server=None, options={}, client="0.1.0")
    return VideoResult(VideoSource(f"/videos/{name}.mp4"), analysis, manifest, "1:2:3")


def job_of(output, form: Form, rows: RowKind = RowKind.CLIPS, total: int = 3) -> Job:
    return Job(
        id="ab12",
        key="",
        state=JobState.RUNNING,
        note="",
        spec=JobSpec(output=str(output), form=form, rows=rows, options={}),
        facts=None,
        created_at=0.0,
        progress=Progress(total, total, 0, 0, 0.0),
    )


def settled(job: Job, number: int, name: str) -> Video:
    """Write the part of a video, and return the video."""
    result = result_of(name)
    rows = rows_of(result, job.spec.rows)
    data = encoded(rows, job.spec)
    places.write(part_address(job.id, job.spec, number), data)
    digest = hashlib.sha256(data).hexdigest()
    outcome = Outcome(state=DONE, num_rows=len(rows), part_bytes=len(data), part_sha256=digest)
    return Video(number, result.source, DONE, 0, outcome)


def failed(number: int, name: str) -> Video:
    outcome = Outcome(state=VideoState.FAILED, reason="no video", kind="InvalidRequest")
    return Video(number, VideoSource(name), VideoState.FAILED, 0, outcome)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("rows", RowKind)
def test_an_answer_gives_the_same_bytes_again(form, rows):
    spec = JobSpec(output="/out", form=form, rows=rows, options={})
    first, again = (encoded(rows_of(result_of("a", client_ms=ms), rows), spec) for ms in (1.0, 2.0))
    assert first == again
    assert len(first) > 0


def test_parquet_holds_embeddings_of_a_fixed_size(tmp_path):
    job = job_of(tmp_path / "out.parquet", Form.PARQUET, RowKind.FRAMES, total=2)
    videos = [settled(job, 0, "a"), settled(job, 1, "b")]
    assert assemble(job, videos) == []
    table = pq.read_table(job.spec.output)
    assert table.schema.field("embedding").type.list_size == WIDTH
    assert table.num_rows == 2 * NUM_CHUNKS * FRAMES
    analysis = result_of("b").analysis
    found = np.array(table["embedding"].to_pylist(), np.float32)[NUM_CHUNKS * FRAMES :]
    assert np.array_equal(found, np.concatenate([c.frame_embeddings for c in analysis.chunks]))
    assert table["pts"].to_pylist()[:FRAMES] == list(analysis.chunks[0].frame_pts)


def test_a_row_for_each_video_holds_the_whole_answer():
    spec = JobSpec(output="/out", form=Form.JSONL, rows=RowKind.VIDEOS, options={})
    (line,) = encoded(rows_of(result_of("a"), spec.rows), spec).splitlines()
    row = json.loads(line)
    assert row["video_path"] == "/videos/a.mp4"
    assert len(row["chunks"]) == NUM_CHUNKS
    assert not {"timing", "client_ms", "stream_id"} & set(row)


def test_a_damaged_or_lost_part_is_noticed(tmp_path):
    job = job_of(tmp_path / "out.jsonl", Form.JSONL)
    videos = [settled(job, number, name) for number, name in enumerate("abc")]
    places.write(part_address(job.id, job.spec, 0), b"{half a l")
    places.remove([part_address(job.id, job.spec, 2)])
    assert assemble(job, videos) == [0, 2]
    assert not (tmp_path / "out.jsonl").exists()


def test_a_new_output_replaces_all_files_of_the_old_one(tmp_path, monkeypatch):
    monkeypatch.setattr("trireel_app.jobs.output.assemble.FILE_VIDEOS", 2)
    job = job_of(tmp_path / "out", Form.JSONL)
    videos = [settled(job, number, name) for number, name in enumerate("abc")]
    assemble(job, [*videos, failed(3, "d.mp4")])
    names = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert names == {"part-00000.jsonl", "part-00001.jsonl", "_manifest.json", "_failed.jsonl"}
    assemble(job, videos[:2])
    names = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert names == {"part-00000.jsonl", "_manifest.json"}
    manifest = json.loads((tmp_path / "out/_manifest.json").read_text())
    (file,) = manifest["files"]
    digest = hashlib.sha256((tmp_path / "out/part-00000.jsonl").read_bytes()).hexdigest()
    assert (file["sha256"], file["num_rows"]) == (digest, 2 * NUM_CHUNKS)


def test_a_failed_write_leaves_the_old_output(tmp_path):
    output = tmp_path / "out.jsonl"
    output.write_text("old\n")
    with suppress(ZeroDivisionError), places.assembled(str(output)) as path:
        path.write_text("ne")
        raise ZeroDivisionError
    assert output.read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="cannot be written"):
        places.write(str(tmp_path / "file/out.jsonl"), b"")


@pytest.mark.parametrize("output", ["a.csv", "ftp://host/a.jsonl", "https://host/a.jsonl"])
def test_outputs_of_other_kinds_are_rejected(output):
    with pytest.raises(InvalidOption):
        output_of(output, None)


def test_the_format_comes_from_the_name(tmp_path):
    assert output_of(str(tmp_path / "a.parquet"), None)[1] is Form.PARQUET
    assert output_of("s3://bucket/out/", Form.PARQUET) == ("s3://bucket/out", Form.PARQUET)
    assert output_of("s3://bucket/out/", None)[1] is Form.JSONL
    with pytest.raises(InvalidOption, match="leave --format out"):
        output_of("a.parquet", Form.JSONL)
