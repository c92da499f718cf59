# SPDX-License-Identifier: Apache-2.0
"""Objects: how the options travel, and how the tensors become detections, tracks and labels."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from unit.client.detected import BALL, PERSON, chunked, with_objects, without_objects
from unit.client.loopback import Loopback
from unit.client.scripted import Tensors, bytes_of, one_chunk, whole_video

from trireel_client import (
    Analysis,
    BestView,
    Detection,
    InvalidRequest,
    LabelOnScreen,
    Objects,
    ServerInfo,
    TimeSpan,
    Track,
    UnexpectedAnswer,
)
from trireel_client._flows.parse import parse_analysis, parse_chunk
from trireel_client._options import analysis_inputs

FIND = ("objects",)
SCHEMA = json.loads((Path(__file__).parents[4] / "docs/answer.schema.json").read_text())


def analysis_of(tensors: Tensors) -> Analysis:
    server = ServerInfo("triton", "2.51.0")
    return parse_analysis(tensors, FIND, stream_id="id", server=server, client_ms=50.0)


def objects_of(tensors: Tensors) -> Objects:
    objects = analysis_of(tensors).objects
    assert objects is not None
    return objects


def test_detections_have_times_chunks_and_tracks() -> None:
    objects = objects_of(with_objects())
    assert objects.mode == "combined"
    assert objects.frame_timestamps_seconds == (5.0, 15.0, 20.5, 25.0)
    assert len(objects.detections) == 4
    assert objects.detections[2] == Detection(
        timestamp_seconds=15.0,
        chunk_index=1,
        label="ball",
        score=0.5,
        box=(0.0, 0.0, 0.1, 0.2),
        track_id=BALL,
    )


def test_tracks_are_in_the_order_of_their_ids() -> None:
    person, ball = objects_of(with_objects()).tracks
    assert ball.track_id == BALL
    assert person == Track(
        track_id=PERSON,
        label="person",
        start_seconds=5.0,
        end_seconds=20.5,
        score=0.95,
        best=BestView(timestamp_seconds=20.5, box=(0.7, 0.2, 0.9, 1.0)),
    )


def test_each_label_has_its_stretches_in_order() -> None:
    ball, person = objects_of(with_objects()).labels_on_screen
    assert ball == LabelOnScreen(
        label="ball", intervals=(TimeSpan(start_seconds=15.0, end_seconds=15.0),)
    )
    assert [(each.start_seconds, each.end_seconds) for each in person.intervals] == [
        (5.0, 15.0),
        (20.5, 20.5),
    ]


def test_chunked_objects_have_no_tracks() -> None:
    objects = objects_of(chunked(with_objects()))
    assert (objects.mode, objects.tracks) == ("chunked", ())
    assert {detection.track_id for detection in objects.detections} == {None}
    assert objects.labels_on_screen == objects_of(with_objects()).labels_on_screen


def test_a_video_without_objects() -> None:
    objects = objects_of(without_objects(with_objects()))
    assert (objects.detections, objects.tracks, objects.labels_on_screen) == ((), (), ())
    assert len(objects.frame_timestamps_seconds) == 4


def test_a_chunk_alone_reports_its_objects() -> None:
    whole = with_objects()
    own = {name: whole[name][1:3] for name in whole if name.startswith("OBJECT_")}
    own |= {"OBJECT_MODE": bytes_of(["combined"]), "OBJECT_FRAME_TIMESTAMPS": np.array([15.0])}
    chunk = parse_chunk({**whole, **one_chunk(1), **own}, FIND)
    assert chunk.objects is not None
    assert [detection.label for detection in chunk.objects.detections] == ["person", "ball"]
    assert len(chunk.objects.tracks) == 2


def test_objects_that_were_not_requested_are_none() -> None:
    server = ServerInfo("triton", "2.51.0")
    analysis = parse_analysis(
        whole_video(), ("tags",), stream_id="id", server=server, client_ms=50.0
    )
    assert analysis.objects is None
    assert "objects" not in analysis.to_json_dict("r0")


@pytest.mark.parametrize("change", [lambda tensors: tensors, chunked, without_objects])
def test_answers_with_objects_fit_the_schema(change) -> None:
    answer = json.loads(json.dumps(analysis_of(change(with_objects())).to_json_dict()))
    jsonschema.validate(answer, SCHEMA)
    assert "objects" not in answer["chunks"][0]
    objects = answer["objects"]
    for part in ("mode", "detections", "tracks", "labels_on_screen", "frame_timestamps_seconds"):
        fewer = {**answer, "objects": {k: v for k, v in objects.items() if k != part}}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(fewer, SCHEMA)


def test_json_names_single_values() -> None:
    objects = analysis_of(with_objects()).to_json_dict()["objects"]
    assert objects["labels_on_screen"][0] == {
        "label": "ball",
        "intervals": [{"start_seconds": 15.0, "end_seconds": 15.0}],
    }
    assert objects["tracks"][1]["best"] == {"timestamp_seconds": 15.0, "box": [0.0, 0.0, 0.1, 0.2]}
    assert objects["detections"][0] == {
        "timestamp_seconds": 5.0,
        "chunk_index": 0,
        "label": "person",
        "score": 0.9,
        "box": [0.1, 0.2, 0.3, 0.8],
        "track_id": PERSON,
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"OBJECT_MODE": bytes_of([])}, "OBJECT_MODE is empty"),
        ({"OBJECT_MODE": bytes_of(["chunked", "combined"])}, "OBJECT_MODE is chunked, combined"),
        ({"OBJECT_BOXES": np.zeros((3, 4), np.float32)}, r"BOXES has shape \[3, 4\], not \[4, 4\]"),
        ({"OBJECT_BOXES": np.full((4, 4), np.nan, np.float32)}, "not a finite number"),
        ({"OBJECT_SCORES": np.zeros(5, np.float32)}, r"SCORES has shape \[5\], not \[4\]"),
        ({"OBJECT_TIMESTAMPS": np.array([5.0, 15.0, 15.0, 21.0])}, "21.0 s, a frame .* not among"),
        ({"OBJECT_CHUNK_INDICES": np.array([0, 1, 1, 3], np.int32)}, "chunks it does not hold: 3"),
        ({"TRACK_SPANS": np.array([[15.0, 14.0], [5.0, 20.5]])}, "a span from 15.0 to 14.0 s"),
        ({"TRACK_IDS": np.array([PERSON, PERSON])}, "two tracks of id 7"),
        ({"ONSCREEN_LABELS": bytes_of(["a"])}, r"LABELS has shape \[1\], not \[3\]"),
    ],
)
def test_objects_that_do_not_fit(changed: Tensors, message: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=message):
        analysis_of({**with_objects(), **changed})


def test_options_of_objects_reach_the_server(server: Loopback, video: str) -> None:
    server.script.answers["video_analysis"] = lambda asked: with_objects()
    with server.client() as client:
        analysis = client.analyze(
            video,
            find=FIND,
            objects_mode="combined",
            objects_fps=4,
            labels=["person", "ball"],
            objects_threshold=0.25,
        )
    assert analysis.objects == objects_of(with_objects())
    (asked,) = server.script.asked
    assert list(asked.inputs["OBJECTS"]) == [b"combined"]
    assert list(asked.inputs["OBJECTS_LABELS"]) == [b"person", b"ball"]
    assert asked.inputs["OBJECTS_FPS"].tolist() == [4.0]
    assert asked.inputs["OBJECTS_THRESHOLD"].tolist() == [0.25]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": "person"}, "labels is one string: give a list of strings"),
        ({"labels": []}, "labels is empty"),
        ({"objects_mode": " "}, "objects_mode holds ' '"),
        ({"objects_fps": "fast"}, "objects_fps is 'fast': give a number"),
    ],
)
def test_options_that_cannot_be_sent(options, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        analysis_inputs(options)
