# SPDX-License-Identifier: Apache-2.0
"""What may be asked of an analysis, and how it travels."""

import numpy as np
import pytest
from unit.client.loopback import Loopback, folder_of
from unit.client.scripted import bytes_of, whole_video

from trireel_client import (
    AnalysisOptions,
    AsyncTrireelClient,
    InvalidRequest,
    ServerPath,
    StepOptions,
)
from trireel_client._options import analysis_inputs, step_inputs

NO_TEXT = "caf\udce9"  # how Python reads a file's name that is not UTF-8

EACH = {
    "find": ["quality", "tags"],
    "descriptions": ["A cat asleep, a dog"],
    "tags": ["a cat"],
    "chunk_seconds": 2.5,
    "frames_per_chunk": 8,
    "sample_fps": 0.5,
    "keyframes_only": True,
    "crop": (0.0, 0.0, 0.5, 1.0),
    "crop_px": [0, 0, 64, 48],
    "stream_index": 1,
    "text_fps": 5.0,
    "top_k": 3,
    "scenes": "exact",
    "min_scene_seconds": 0.75,
    "with_scene_trace": True,
    "scene_threshold": 0.25,
    "scene_alpha": 0.5,
    "objects_mode": "chunked",
    "objects_fps": 0.5,
    "description_frames": 3,
    "description_prompt": "What is seen?",
    "labels": ["person", "traffic light"],
    "objects_threshold": 0.25,
    "with_embeddings": True,
}


OTHER_NAMES = {
    "min_scene_seconds": "SCENE_MIN_SECONDS",
    "with_scene_trace": "SCENE_WITH_TRACE",
    "objects_mode": "OBJECTS",
    "labels": "OBJECTS_LABELS",
}


def test_every_option_is_tried_here() -> None:
    assert EACH.keys() == AnalysisOptions.__optional_keys__
    assert StepOptions.__optional_keys__ == AnalysisOptions.__optional_keys__ - {"with_embeddings"}


@pytest.mark.parametrize("name", EACH)
def test_an_option_travels_as_the_tensor_of_its_name(name: str) -> None:
    inputs = analysis_inputs({name: EACH[name]}).everything()
    tensor = OTHER_NAMES.get(name, name.upper())
    assert inputs.keys() == {tensor}
    sent = inputs[tensor]
    if sent.dtype == np.object_:
        sent = [text.decode() for text in sent]
    assert list(sent) == list(np.atleast_1d(EACH[name]))


def test_only_options_that_are_set_travel(server: Loopback, video: str) -> None:
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    with server.client() as client:
        client.analyze(video)
        client.analyze(
            video,
            tags=["a cat", "ein Hündchen"],
            chunk_seconds=2.5,
            descriptions=["A cat asleep"],
            frames_per_chunk=8,
            keyframes_only=True,
            crop=(0.25, 0.0, 0.5, 1.0),
            stream_index=2,
            top_k=3,
            scene_threshold=0.5,
            scene_alpha=0.25,
            with_embeddings=True,
        )
    plain, full = server.script.asked
    assert plain.inputs.keys() == {"VIDEO_DATA"}
    assert plain.inputs["VIDEO_DATA"][0] == b"\x00moving pictures\x00"
    dtypes = {name: array.dtype for name, array in full.inputs.items()}
    assert dtypes == {
        "VIDEO_DATA": np.object_,
        "TAGS": np.object_,
        "DESCRIPTIONS": np.object_,
        "CHUNK_SECONDS": np.float64,
        "FRAMES_PER_CHUNK": np.int32,
        "KEYFRAMES_ONLY": np.bool_,
        "CROP": np.float64,
        "STREAM_INDEX": np.int32,
        "TOP_K": np.int32,
        "SCENE_THRESHOLD": np.float32,
        "SCENE_ALPHA": np.float32,
        "WITH_EMBEDDINGS": np.bool_,
    }
    assert list(full.inputs["TAGS"]) == list(bytes_of(["a cat", "ein Hündchen"]))
    assert list(full.inputs["DESCRIPTIONS"]) == [b"A cat asleep"]
    assert full.inputs["CHUNK_SECONDS"] == [2.5]
    assert full.inputs["KEYFRAMES_ONLY"].tolist() == [True]
    assert full.inputs["CROP"].tolist() == [0.25, 0.0, 0.5, 1.0]
    assert full.inputs["STREAM_INDEX"].tolist() == [2]


def test_rates_and_pixels_instead(server: Loopback, video: str) -> None:
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    with server.client() as client:
        client.analyze(video, sample_fps=0.5, crop_px=[0, 8, 64, 48], keyframes_only=False)
    (asked,) = server.script.asked
    assert asked.inputs.keys() == {"VIDEO_DATA", "SAMPLE_FPS", "CROP_PX"}
    assert asked.inputs["SAMPLE_FPS"].dtype == np.float64
    assert asked.inputs["SAMPLE_FPS"].tolist() == [0.5]
    assert asked.inputs["CROP_PX"].dtype == np.int32
    assert asked.inputs["CROP_PX"].tolist() == [0, 8, 64, 48]


@pytest.mark.parametrize("name", EACH)
def test_none_leaves_an_option_to_the_server(name: str) -> None:
    assert analysis_inputs({name: None}).everything() == {}


@pytest.mark.parametrize("name", ["keyframes_only", "with_embeddings"])
def test_flags_travel_only_when_set(name: str) -> None:
    assert analysis_inputs({name: False}).everything() == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames_per_chunk": 1.5}, r"frames_per_chunk is 1\.5"),
        ({"frames_per_chunk": 2**31}, "fits int32"),
        ({"top_k": "many"}, "top_k is 'many'"),
        ({"chunk_seconds": "long"}, "fits float64"),
        ({"sample_fps": "film"}, "sample_fps is 'film': give a number that fits float64"),
        ({"stream_index": 0.0}, r"stream_index is 0\.0: give a number that fits int32"),
        ({"crop": (0, 0, 1, "wide")}, "crop is 'wide': give a number that fits float64"),
        ({"crop_px": (0, 0, 0.5, 1)}, r"crop_px is 0\.5: give a number that fits int32"),
        ({"crop_px": (0, 0, 2**31, 1)}, "crop_px is 2147483648"),
    ],
)
def test_numbers_that_do_not_fit(options, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        analysis_inputs(options)


@pytest.mark.parametrize("name", ["crop", "crop_px"])
@pytest.mark.parametrize("value", [(), (0, 0, 1), (0, 0, 1, 1, 1), 0.5, "0,0,1,1", "0011"])
def test_crops_that_are_not_four_numbers(name: str, value) -> None:
    with pytest.raises(
        InvalidRequest, match=f"{name} is .*: give four numbers: left, top, width, height"
    ):
        analysis_inputs({name: value})


@pytest.mark.parametrize(
    "names", [("frames_per_chunk", "sample_fps"), ("crop", "crop_px")], ids=" ".join
)
@pytest.mark.parametrize("inputs_of", [analysis_inputs, step_inputs])
def test_options_that_contradict_each_other(inputs_of, names: tuple[str, str]) -> None:
    one, other = names
    with pytest.raises(InvalidRequest, match=f"^got both of {one} and {other}: give one of them$"):
        inputs_of({name: EACH[name] for name in names})
    inputs_of({one: EACH[one], other: None})


def test_options_there_are_not() -> None:
    with pytest.raises(TypeError, match=r"no option 'frame_per_chunk': there are chunk_seconds, c"):
        analysis_inputs({"frame_per_chunk": 8})
    with pytest.raises(TypeError, match="no option 'with_embeddings'"):
        step_inputs({"with_embeddings": False})


@pytest.mark.parametrize("name", ["tags", "find"])
@pytest.mark.parametrize(
    ("texts", "message"), [("cat", "is one string"), ([], "is empty"), (["a", " "], "holds ' '")]
)
def test_lists_without_a_text(name: str, texts, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{name} {message}: give"):
        analysis_inputs({name: texts})


@pytest.mark.parametrize("inputs_of", [analysis_inputs, step_inputs])
def test_tags_that_are_no_text(inputs_of) -> None:
    with pytest.raises(InvalidRequest, match=r"tags 'caf\\udce9' is not UTF-8"):
        inputs_of({"tags": ["cat", NO_TEXT]})


def test_names_that_are_no_text(server: Loopback, tmp_path) -> None:
    video = tmp_path / f"{NO_TEXT}.mp4"
    video.write_bytes(b"moving pictures")
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    server.script.parameters = folder_of(tmp_path)
    with server.client() as client:
        with pytest.raises(InvalidRequest, match=r"VIDEO '.*caf\\udce9.*' is not UTF-8"):
            client.analyze(f"s3://bucket/{NO_TEXT}")
        with pytest.raises(InvalidRequest, match=r"stream_id 'caf\\udce9' is not UTF-8"):
            client.analyze("s3://bucket/a.mp4", stream_id=NO_TEXT)
        assert not server.script.asked
        for source in (video, ServerPath(f"{NO_TEXT}.mp4")):  # file names may hold any bytes
            client.analyze(source)
            assert server.script.asked[-1].inputs["VIDEO"].item().endswith(b"caf\xe9.mp4")
        server.script.parameters = {}
    with server.client() as client:
        assert client.analyze(video).num_chunks == 3  # its name does not travel


async def test_no_task_is_cancelled_for_a_stream_id_that_is_no_text() -> None:
    async with AsyncTrireelClient() as client:
        with pytest.raises(InvalidRequest, match="stream_id"):
            await client.analyze("s3://bucket/a.mp4", stream_id=NO_TEXT)


def test_numpy_numbers_are_numbers() -> None:
    inputs = analysis_inputs(
        {
            "top_k": np.int64(3),
            "chunk_seconds": np.float32(2.5),
            "crop": np.array([0.0, 0.0, 0.5, 1.0], np.float32),
            "keyframes_only": np.True_,
        }
    ).everything()
    assert inputs["TOP_K"] == [3]
    assert inputs["CHUNK_SECONDS"] == [2.5]
    assert inputs["CROP"].tolist() == [0.0, 0.0, 0.5, 1.0]
    assert inputs["KEYFRAMES_ONLY"] == [True]
