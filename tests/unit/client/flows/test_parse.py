# SPDX-License-Identifier: Apache-2.0
"""From tensors to results to JSON."""

import json
from fractions import Fraction

import numpy as np
import pytest
from unit.client.scripted import FRAMES, Tensors, bytes_of, one_chunk, plan, whole_video

from trireel_client import Analysis, ServerInfo, UnexpectedAnswer
from trireel_client._flows.parse import parse_analysis, parse_chunk, parse_plan
from trireel_schema.catalogue import DEFAULT_FINDINGS

SERVER = ServerInfo("triton", "2.51.0")


def analysis_of(tensors: Tensors) -> Analysis:
    return parse_analysis(tensors, DEFAULT_FINDINGS, stream_id="id", server=SERVER, client_ms=50.0)


def test_frames_belong_to_their_chunk() -> None:
    chunks = analysis_of(whole_video()).chunks
    assert chunks[2].frame_timestamps_seconds == (21.25, 23.75, 26.25, 28.75)
    assert chunks[0].scene_trace == (0.0, 0.0, 0.1, 0.05)
    assert chunks[1].scene_trace == (0.0, 0.4, 0.1, 0.05)
    assert all(len(chunk.frame_timestamps_seconds) == FRAMES for chunk in chunks)


def test_chunks_hold_as_many_frames_as_the_answer_says() -> None:
    tensors = whole_video(with_embeddings=True)
    tensors["CHUNK_NUM_FRAMES"] = np.array([1, 6, 5], np.int32)
    chunks = analysis_of(tensors).chunks
    assert [len(chunk.frame_timestamps_seconds) for chunk in chunks] == [1, 6, 5]
    assert [len(chunk.frame_pts) for chunk in chunks] == [1, 6, 5]
    assert [len(chunk.scene_trace) for chunk in chunks] == [1, 6, 5]
    assert chunks[1].frame_timestamps_seconds == (3.75, 6.25, 8.75, 11.25, 13.75, 16.25)
    np.testing.assert_array_equal(chunks[1].frame_embeddings, tensors["EMBEDDINGS"][1:7])
    np.testing.assert_array_equal(chunks[2].frame_embeddings, tensors["EMBEDDINGS"][7:])


def test_frame_times_are_exact_too() -> None:
    tensors = whole_video()
    tensors["PTS"][4] = 2**53 + 1  # no float64 holds it
    chunk = analysis_of(tensors).chunks[1]
    assert chunk.frame_pts == (2**53 + 1, 176000, 208000, 240000)
    assert chunk.time_base == Fraction(1, 12800)
    assert float(chunk.frame_pts[1] * chunk.time_base) == chunk.frame_timestamps_seconds[1]


def test_what_is_known_of_the_file() -> None:
    analysis = analysis_of(
        {
            **whole_video(),
            "VIDEO_START_SECONDS": np.array([-0.04]),
            "TIME_BASE": np.array([1001, 30000]),
            "STREAM_INDEX": np.array([2], np.int32),
            "VIDEO_STREAM_INDICES": np.array([0, 2], np.int32),
            "DECODER": bytes_of(["hevc (cuda)"]),
            "CHUNK_DAMAGED_PACKETS": np.array([0, 5, 7], np.int32),
        }
    )
    assert analysis.start_seconds == -0.04
    assert analysis.time_base == Fraction(1001, 30000)
    assert (analysis.stream_index, analysis.video_stream_indices) == (2, (0, 2))
    assert analysis.decoder == "hevc (cuda)"
    assert [chunk.damaged_packets for chunk in analysis.chunks] == [0, 5, 7]
    assert analysis.damaged_packets == 12


def test_cuts_belong_to_the_chunk_they_name() -> None:
    tensors = whole_video()
    tensors["SCENE_CHUNK_INDICES"] = np.array([2, 2], np.int32)
    analysis = analysis_of(tensors)
    assert [len(chunk.scene_changes) for chunk in analysis.chunks] == [0, 0, 2]
    assert len(analysis.scene_changes) == 2


def test_no_cuts_at_all() -> None:
    analysis = analysis_of(whole_video(1))
    assert analysis.scene_changes == ()
    assert analysis.chunks[0].scene_changes == ()


def test_float32_is_shown_by_its_shortest_decimals() -> None:
    tag = analysis_of(whole_video()).tags[0]
    assert (tag.score, tag.probability) == (0.9, 0.45)
    assert np.float32(tag.score) == whole_video()["TAG_SCORES"][0]


def test_streamed_chunk_brings_the_video_so_far() -> None:
    chunk = parse_chunk(one_chunk(1), DEFAULT_FINDINGS)
    assert (chunk.index, chunk.num_chunks, chunk.is_last) == (1, 3, False)
    assert chunk.end_seconds == 20.0
    assert chunk.video_so_far is not None
    assert chunk.video_so_far.caption.text == "A person cooking"
    assert chunk.frame_pts == (144000, 176000, 208000, 240000)
    assert (chunk.time_base, chunk.damaged_packets) == (Fraction(1, 12800), 0)
    assert parse_chunk(one_chunk(2), DEFAULT_FINDINGS).is_last
    assert analysis_of(whole_video()).chunks[0].video_so_far is None


def test_results_compare_without_embeddings_getting_in_the_way() -> None:
    with_embeddings = analysis_of(whole_video(with_embeddings=True))
    assert with_embeddings == analysis_of(whole_video())
    assert "embedding" not in repr(with_embeddings.chunks[0])


def test_plan() -> None:
    assert parse_plan(plan()).start_seconds == (0.0, 10.0, 20.0)
    with pytest.raises(UnexpectedAnswer, match="plan is empty"):
        parse_plan(plan(0))


@pytest.mark.parametrize("name", sorted(whole_video()))
def test_every_missing_tensor_is_named(name: str) -> None:
    tensors = whole_video()
    del tensors[name]
    with pytest.raises(UnexpectedAnswer, match=f"lacks {name}$"):
        analysis_of(tensors)


@pytest.mark.parametrize("name", sorted(set(whole_video(with_embeddings=True)) - {"EMBEDDING_DIM"}))
def test_every_misshapen_tensor_is_refused(name: str) -> None:
    tensors = whole_video(with_embeddings=True)
    tensors[name] = tensors[name][None]
    with pytest.raises(UnexpectedAnswer, match=rf"{name} has shape"):
        analysis_of(tensors)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"TIMESTAMPS": np.zeros(11)}, "TIMESTAMPS holds 11 frames, its CHUNK_NUM_FRAMES make 12"),
        ({"PTS": np.zeros(0, np.int64)}, "PTS holds 0 frames, its CHUNK_NUM_FRAMES make 12"),
        ({"SCENE_TRACE": np.zeros(13, np.float32)}, "SCENE_TRACE holds 13 frames"),
        ({"CHUNK_NUM_FRAMES": np.array([4, 4, 5], np.int32)}, "12 frames, .* make 13"),
        ({"CHUNK_NUM_FRAMES": np.array([8, 4, 0], np.int32)}, "a chunk of 0 frames"),
        ({"CHUNK_NUM_FRAMES": np.array([13, -5, 4], np.int32)}, "a chunk of -5 frames"),
        ({"EMBEDDINGS": np.zeros((11, 8), np.float32)}, r"shape \[11, 8\], not \[12, any\]"),
        ({"TIME_BASE": np.array([1, 0])}, "TIME_BASE is 1/0"),
        ({"TIME_BASE": np.array([0, 1])}, "TIME_BASE is 0/1"),
        ({"SCENE_CHUNK_INDICES": np.array([1, 7], np.int32)}, r"does not hold: \[7\]"),
        ({"NUM_CHUNKS": np.array([4], np.int32)}, "3 chunks of 4 planned"),
        ({"CHUNK_TAG_SCORES": np.zeros((3, 1), np.float32)}, r"shape \[3, 1\], not \[3, 2\]"),
        ({"TIMING_STAGES": bytes_of(["a", "b", "c", "d", "e"])}, "TIMING_STAGES are a, b"),
        ({"CHUNK_INDICES": np.zeros(0, np.int32)}, "no chunk"),
    ],
)
def test_parts_that_do_not_fit_together(changed: Tensors, message: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=message):
        analysis_of({**whole_video(), **changed})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("NUM_CHUNKS", bytes_of(["three"]), "NUM_CHUNKS is of type object"),
        ("NUM_CHUNKS", np.array([np.nan]), "NUM_CHUNKS is of type float64"),
        ("VIDEO_DURATION_SECONDS", np.array([np.nan]), "DURATION_SECONDS holds .* not a finite"),
        ("VIDEO_DURATION_SECONDS", bytes_of(["30"]), "VIDEO_DURATION_SECONDS is of type object"),
        ("TAG_SCORES", np.array([0.9, np.inf], np.float32), "TAG_SCORES holds .* not a finite"),
        ("TAG_TEXTS", np.array([1.0, 2.0]), "TAG_TEXTS is of type float64"),
        ("TAG_TEXTS", np.array([b"a", b"caf\xe9"], np.object_), "TAG_TEXTS holds .* not UTF-8"),
        ("DECODER", np.array([b"\xff"], np.object_), "DECODER holds what is not UTF-8"),
        ("TIMING_STAGES", np.array([b"\xff"] * 5, np.object_), "TIMING_STAGES holds .* not UTF-8"),
        ("EMBEDDINGS", np.full((12, 8), b"x", np.object_), "EMBEDDINGS is of type object"),
    ],
)
def test_values_of_another_kind(name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=message):
        analysis_of({**whole_video(), name: value})


def test_json_has_the_names_of_the_pipeline_before() -> None:
    answer = analysis_of(whole_video()).to_json_dict("r0")
    assert json.loads(json.dumps(answer)) == answer
    assert set(answer) >= {
        "stream_id",
        "embedding_dim",
        "tags",
        "retrieval_caption",
        "scene_changes",
        "num_scene_changes",
        "shots",
        "chunks",
        "num_chunks",
        "video_start",
        "video_duration",
        "time_base",
        "stream_index",
        "video_stream_indices",
        "frame_rate",
        "is_vfr",
        "picture_size_px",
        "decoder",
        "is_complete",
        "damaged_packets",
        "timing_ms",
        "server",
        "client_ms",
    }
    assert answer["tags"][0] == {"text": "kitchen", "score": 0.9, "probability": 0.45}
    assert answer["scene_changes"][0] == {
        "timestamp": 13.75,
        "score": 0.4,
        "chunk_index": 1,
        "frame_index": 1,
        "kind": "cut",
        "begin": 13.75,
        "end": 13.75,
        "reason": "",
    }
    assert (answer["video_start"], answer["video_duration"]) == (0.0, 30.0)
    assert answer["time_base"] == [1, 12800]
    assert (answer["stream_index"], answer["video_stream_indices"]) == (0, [0])
    assert (answer["decoder"], answer["damaged_packets"]) == ("h264", 0)
    assert answer["timing_ms"] == {
        "s3_download": 1.0,
        "decode_video": 20.5,
        "encode": 30.0,
        "decode": 0.5,
        "total": 40.0,
    }
    assert answer["server"] == {"name": "triton", "version": "2.51.0"}
    assert answer["client_ms"] == 50.0


def test_json_of_a_chunk() -> None:
    damaged = {"CHUNK_DAMAGED_PACKETS": np.array([0, 3, 0], np.int32)}
    chunk = analysis_of({**whole_video(), **damaged}).to_json_dict("r0")["chunks"][1]
    assert (chunk["chunk_index"], chunk["start_time"], chunk["duration"]) == (1, 10.0, 10.0)
    assert chunk["retrieval_caption"]["text"] == "caption 1"
    assert chunk["frame_timestamps"] == [11.25, 13.75, 16.25, 18.75]
    assert chunk["frame_pts"] == [144000, 176000, 208000, 240000]
    assert chunk["damaged_packets"] == 3
    assert "embedding" not in chunk


def test_json_embeddings_read_back_bit_for_bit() -> None:
    tensors = whole_video(with_embeddings=True)
    chunks = json.loads(json.dumps(analysis_of(tensors).to_json_dict()))["chunks"]
    frames = np.concatenate([chunk["frame_embeddings"] for chunk in chunks])
    np.testing.assert_array_equal(frames.astype(np.float32), tensors["EMBEDDINGS"])
    pooled = np.array([chunk["embedding"] for chunk in chunks], np.float32)
    np.testing.assert_array_equal(pooled, tensors["CHUNK_EMBEDDINGS"])
