# SPDX-License-Identifier: Apache-2.0
"""Findings that a request names: how FIND travels, and how their tensors become results."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from unit.client.detected import with_objects
from unit.client.loopback import Loopback
from unit.client.scripted import (
    UNAVAILABLE,
    Asked,
    Tensors,
    bytes_of,
    one_chunk,
    plan,
    stepped_chunk,
    whole_video,
)
from unit.client.scripted_captions import TEXTS, captions_answer

from trireel_client import (
    Analysis,
    ChunkQuality,
    Quality,
    SceneDescription,
    ServerInfo,
    UnexpectedAnswer,
)
from trireel_client._flows.delivered import DeliveredChunks
from trireel_client._flows.findings import READERS
from trireel_client._flows.parse import parse_analysis, parse_chunk
from trireel_schema.catalogue import DEFAULT_FINDINGS, FINDINGS

ALL = tuple(FINDINGS)
DESCRIPTIONS = {
    "DESCRIPTION_TEXTS": bytes_of(["a beach", "a café"]),
    "DESCRIPTION_START_SECONDS": np.array([0.0, 13.75]),
    "DESCRIPTION_END_SECONDS": np.array([13.75, 25.0]),
    "SUMMARY": bytes_of(["A beach, then a café."]),
}


def quality_of(n: int) -> Tensors:
    """Return the tensors of `quality` for chunks that grow darker."""
    return {
        "CHUNK_QUALITY_BLACK_SHARES": np.linspace(0.0, 0.5, n, dtype=np.float32),
        "CHUNK_QUALITY_FROZEN_SHARES": np.full(n, 0.25, np.float32),
        "CHUNK_QUALITY_SHARPNESS": np.full(n, 812.5, np.float32),
        "CHUNK_QUALITY_LUMAS": np.linspace(101.1, 10.0, n, dtype=np.float32),
        "QUALITY_BLACK_INTERVALS": np.array([[21.25, 25.0]]),
        "QUALITY_FREEZE_INTERVALS": np.zeros((0, 2)),
    }


def every_finding() -> Tensors:
    """Return the answer for a whole video with the tensors of all findings."""
    texts = {name: array for name, array in captions_answer([0]).items() if "TEXT" in name}
    return {**whole_video(), **quality_of(3), **with_objects({}), **texts, **DESCRIPTIONS}


def without(tensors: Tensors, findings: Sequence[str]) -> Tensors:
    """Return an answer without the tensors of some findings."""
    outputs = {output for name in findings for output in FINDINGS[name].outputs}
    return {name: tensor for name, tensor in tensors.items() if name not in outputs}


def analysis_of(tensors: Tensors, findings: Sequence[str]) -> Analysis:
    server = ServerInfo("triton", "2.51.0")
    return parse_analysis(tensors, findings, stream_id="id", server=server, client_ms=50.0)


def test_the_client_reads_every_finding_of_the_catalogue() -> None:
    assert FINDINGS.keys() <= READERS.keys()


def test_captions_of_the_picture_are_reported_as_a_whole() -> None:
    texts = captions_answer([0, 2])
    analysis = analysis_of({**whole_video(), **texts}, ("text",))
    assert [caption.text for caption in analysis.captions] == [TEXTS[0], TEXTS[2]]
    chunk = parse_chunk({**one_chunk(1), **texts}, ("text",))
    assert chunk.captions == analysis.captions
    with pytest.raises(UnexpectedAnswer, match="lacks TEXT_TEXTS"):
        analysis_of(whole_video(), ("text",))


def test_quality_beside_the_default_findings() -> None:
    analysis = analysis_of(every_finding(), ALL)
    assert analysis.quality == Quality(((21.25, 25.0),), ())
    assert analysis.chunks[0].quality == ChunkQuality(0.0, 0.25, 812.5, 101.1)
    assert analysis.chunks[2].quality == ChunkQuality(0.5, 0.25, 812.5, 10.0)
    assert analysis.tags == analysis_of(whole_video(), DEFAULT_FINDINGS).tags


def test_descriptions_and_their_summary() -> None:
    analysis = analysis_of(every_finding(), ALL)
    assert analysis.descriptions[1] == SceneDescription("a café", 13.75, 25.0)
    assert analysis.summary == "A beach, then a café."
    answer = analysis.to_json_dict()
    assert answer["descriptions"][0] == {
        "text": "a beach",
        "start_seconds": 0.0,
        "end_seconds": 13.75,
    }


def test_a_description_without_its_time_is_rejected() -> None:
    tensors = {**every_finding(), "DESCRIPTION_END_SECONDS": np.array([13.75])}
    with pytest.raises(UnexpectedAnswer, match="DESCRIPTION_END_SECONDS"):
        analysis_of(tensors, ["description"])


def test_quality_alone() -> None:
    tensors = {**without(whole_video(), DEFAULT_FINDINGS), **quality_of(3)}
    analysis = analysis_of(tensors, ["quality"])
    assert analysis.quality is not None
    assert (analysis.tags, analysis.caption, analysis.scene_changes) == ((), None, ())
    for chunk in analysis.chunks:
        assert chunk.quality is not None
        assert (chunk.tags, chunk.caption) == ((), None)
        assert (chunk.scene_changes, chunk.scene_trace) == ((), ())
        assert len(chunk.frame_pts) == 4


def test_a_chunk_brings_the_quality_so_far() -> None:
    chunk = parse_chunk({**one_chunk(1), **quality_of(1)}, (*DEFAULT_FINDINGS, "quality"))
    assert chunk.video_so_far is not None
    assert chunk.video_so_far.quality == Quality(((21.25, 25.0),), ())
    assert chunk.video_so_far.caption is not None


def test_empty_tensors_of_other_findings_are_not_read() -> None:
    empty = {name: tensor[:0] for name, tensor in one_chunk(1).items() if "TAG" in name}
    chunk = parse_chunk({**one_chunk(1), **empty}, ["caption", "scenes"])
    assert chunk.tags == ()
    assert chunk.caption is not None
    assert len(chunk.scene_trace) == 4


@pytest.mark.parametrize("left_out", ALL)
def test_a_requested_finding_that_is_missing(left_out: str) -> None:
    tensors = without(every_finding(), [left_out])
    with pytest.raises(UnexpectedAnswer, match="the answer lacks"):
        analysis_of(tensors, ALL)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"CHUNK_QUALITY_LUMAS": np.zeros(2, np.float32)}, r"LUMAS has shape \[2\], not \[3\]"),
        ({"QUALITY_BLACK_INTERVALS": np.zeros(2)}, r"has shape \[2\], not \[any, 2\]"),
        ({"QUALITY_FREEZE_INTERVALS": np.zeros((1, 3))}, r"shape \[1, 3\], not \[any, 2\]"),
        ({"QUALITY_FREEZE_INTERVALS": np.full((1, 2), np.nan)}, "not a finite number"),
        ({"CHUNK_QUALITY_SHARPNESS": np.array([b"a"] * 3, np.object_)}, "is of type object"),
    ],
)
def test_quality_that_does_not_fit(changed: Tensors, message: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=message):
        analysis_of({**every_finding(), **changed}, ALL)


def test_json_holds_quality_only_if_it_was_requested() -> None:
    answer = analysis_of({**whole_video(), **quality_of(3)}, ["quality"]).to_json_dict("r0")
    assert answer["quality"] == {"black_intervals": [[21.25, 25.0]], "freeze_intervals": []}
    assert answer["chunks"][2]["quality"] == {
        "black_share": 0.5,
        "frozen_share": 0.25,
        "sharpness": 812.5,
        "luma": 10.0,
    }
    assert (answer["tags"], answer["retrieval_caption"], answer["scene_changes"]) == ([], None, [])
    default = analysis_of(whole_video(), DEFAULT_FINDINGS).to_json_dict("r0")
    assert "quality" not in default
    assert "quality" not in default["chunks"][0]


def stepped_quality(asked: Asked) -> Tensors:
    """Answer as `video_chunk` does if FIND names quality alone."""
    return {**without(stepped_chunk(asked), DEFAULT_FINDINGS), **quality_of(1)}


def test_every_step_names_the_same_findings(server: Loopback, video: str) -> None:
    server.script.answers["frame_extractor"] = lambda asked: plan()
    server.script.answers["video_chunk"] = stepped_quality
    server.script.answers["temporal_decoder"] = lambda asked: one_chunk(2)
    with server.client() as client:
        assert len(list(client.step(video, find=["quality"]))) == 3
        for _ in client.step(video, find=["quality"]):
            break
    chunks = server.script.asked_of("video_chunk") + server.script.asked_of("temporal_decoder")
    assert [list(asked.inputs["FIND"]) for asked in chunks] == [[b"quality"]] * 5


def test_a_broken_stream_of_quality_goes_on(grpc_only: Loopback, video: str) -> None:
    def answers(break_after: int | None) -> Iterator[Tensors]:
        whole = {**whole_video(), **quality_of(3)}
        for i in range(3):
            if i == break_after:
                raise UNAVAILABLE
            luma = {"CHUNK_QUALITY_LUMAS": whole["CHUNK_QUALITY_LUMAS"][i : i + 1]}
            yield quality_alone({**one_chunk(i), **quality_of(1), **luma}, is_whole=False)
        yield quality_alone(whole, is_whole=True)

    streams = iter([answers(2), answers(None)])
    grpc_only.script.answers["video_analysis_stream"] = lambda asked: next(streams)
    with grpc_only.client() as client:
        *chunks, last = client.stream(video, find=["quality"])
    assert [chunk.index for chunk in chunks if not isinstance(chunk, Analysis)] == [0, 1, 2]
    assert isinstance(last, Analysis)
    assert [list(asked.inputs["FIND"]) for asked in grpc_only.script.asked] == [[b"quality"]] * 2


def quality_alone(tensors: Tensors, *, is_whole: bool) -> Tensors:
    """Return an answer of a stream without the default findings."""
    return {**without(tensors, DEFAULT_FINDINGS), "IS_AGGREGATE": np.array([is_whole])}


def test_another_picture_in_place_of_a_chunk_is_noticed() -> None:
    delivered = DeliveredChunks()
    chunk = parse_chunk({**one_chunk(0), **quality_of(1)}, ["quality"])
    assert chunk.quality is not None
    assert delivered.is_new(chunk)
    assert not delivered.is_new(chunk)
    darker = replace(chunk, quality=replace(chunk.quality, luma=chunk.quality.luma - 20))
    with pytest.raises(UnexpectedAnswer, match="chunk 0 is not what it was before"):
        delivered.is_new(darker)
