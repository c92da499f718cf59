# SPDX-License-Identifier: Apache-2.0
"""Objects of frames that say what is in them: boxes, tracks, intervals, and refusals."""

from dataclasses import replace

import numpy as np
import pytest
from support.findings import options_of
from support.objects import DETECTOR, HEIGHT_PX, MODELS, WIDTH_PX, detected, frame_of

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.limits import SECOND_VIEWS_BYTES
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import Knowledge, ServerModels
from trireel_backend.findings.objects import FRAMES_AT_ONCE, Objects
from trireel_backend.findings.registry import second_views
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import stack_chunks, texts
from trireel_backend.wire.views import WHOLE_PICTURE, PackedView
from trireel_schema.detector import Fit
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration

TEXTS = TextSet(("a",), np.ones((1, 1), np.float32))
EMPTY = frame_of()


def finding(models=MODELS):
    return Objects(Knowledge(TextBank(TEXTS, TEXTS), Calibration(1.0, 0.0), models=models))


def options(**inputs):
    return options_of(FIND=["objects"], **inputs)["objects"]


def chunk_of(frames, seconds, region=WHOLE_PICTURE):
    view = PackedView(np.stack(frames), np.array(seconds, np.float64), region)
    return ChunkFrames(np.ones((1, 1), np.float32), np.zeros(1), 10.0, {"objects": view})


def after(objects, state, chunk, chosen):
    """Call the detector, then make the step."""
    answers = [detected(call.inputs["FRAMES"]) for call in objects.calls(state, chunk, chosen)]
    return objects.step(state, replace(chunk, answers={"objects": answers}), chosen)


def decode(chunks, *, models=MODELS, **inputs):
    """Return the answer of each chunk."""
    objects, chosen = finding(models), options(**inputs)
    state, answers = objects.start(), []
    for chunk in chunks:
        state, answer = after(objects, state, chunk, chosen)
        answers.append(answer)
    return answers


def walker(left, label="person", score=0.9):
    return (left, 0.4, left + 0.2, 0.8, score, label)


def walk(count, *, step=0.04, per_chunk=10, fps=2.0):
    """Return chunks of a person who walks to the right, beside a ball that lies there."""
    frames = [frame_of(walker(0.02 + step * i), walker(0.7, "ball", 0.7)) for i in range(count)]
    seconds = [index / fps for index in range(count)]
    return [
        chunk_of(frames[at : at + per_chunk], seconds[at : at + per_chunk])
        for at in range(0, count, per_chunk)
    ]


def test_a_track_goes_on_over_the_border_of_chunks():
    answers = decode(walk(20))
    whole = stack_chunks(answers)
    assert whole["OBJECT_TRACK_IDS"].tolist() == [1, 2] * 20
    assert whole["OBJECT_LABELS"].tolist() == [b"person", b"ball"] * 20
    assert whole["OBJECT_CHUNK_INDICES"].tolist() == [0] * 20 + [1] * 20
    assert whole["OBJECT_TIMESTAMPS"].tolist() == [i / 2 for i in range(20) for _ in range(2)]
    assert whole["OBJECT_FRAME_TIMESTAMPS"].tolist() == [i / 2 for i in range(20)]
    assert whole["TRACK_IDS"].tolist() == [1, 2]
    assert whole["TRACK_LABELS"].tolist() == [b"person", b"ball"]
    assert whole["TRACK_SPANS"].tolist() == [[0.0, 9.5]] * 2
    assert whole["TRACK_SCORES"] == pytest.approx([0.9, 0.7], abs=0.01)
    assert answers[0]["TRACK_SPANS"].tolist() == [[0.0, 4.5]] * 2


def test_both_modes_find_the_same_boxes():
    combined, chunked = (stack_chunks(decode(walk(20), OBJECTS=m)) for m in MODES)
    for name in combined.keys() - {"OBJECT_MODE", "OBJECT_TRACK_IDS"}:
        if name.startswith(("OBJECT_", "ONSCREEN_")):
            np.testing.assert_array_equal(combined[name], chunked[name], err_msg=name)
    assert set(chunked["OBJECT_TRACK_IDS"].tolist()) == {-1}
    assert len(chunked["TRACK_IDS"]) == len(chunked["TRACK_BEST_BOXES"]) == 0
    assert chunked["OBJECT_MODE"].tolist() == [b"chunked"] * 2


MODES = ("combined", "chunked")


@pytest.mark.parametrize("mode", MODES)
def test_a_label_is_on_screen_in_intervals(mode):
    frames = [EMPTY] * 12
    frames[0] = frames[1] = frames[3] = frames[10] = frame_of(walker(0.1))
    frames[2] = frame_of(walker(0.5, "car"))
    seconds = np.arange(12) / 2
    chunks = [chunk_of(frames[:6], seconds[:6]), chunk_of(frames[6:], seconds[6:])]
    answer = decode(chunks, OBJECTS=mode)[-1]
    assert answer["ONSCREEN_LABELS"].tolist() == [b"person", b"car", b"person"]
    assert answer["ONSCREEN_SPANS"].tolist() == [[0.0, 1.5], [1.0, 1.0], [5.0, 5.0]]


def test_boxes_of_a_crop_are_fractions_of_the_whole_picture():
    frame = frame_of((0.0, 0.2, 1.0, 0.6, 0.9, "car"))
    (answer,) = decode([chunk_of([frame], [0.0], (0.5, 0.25, 0.5, 0.5))])
    assert answer["OBJECT_BOXES"][0] == pytest.approx([0.5, 0.35, 1.0, 0.55], abs=1e-6)


def test_bars_are_no_part_of_the_picture():
    """The picture fills the upper half of the frame; a box in the bar is no detection."""
    frame = frame_of((0.2, 0.2, 0.4, 0.6, 0.9, "car"), (0.2, 0.6, 0.4, 0.8, 0.9, "ball"))
    (answer,) = decode([chunk_of([frame], [0.0], (0.0, 0.0, 1.0, 2.0))])
    assert answer["OBJECT_BOXES"] == pytest.approx(np.array([[0.2, 0.4, 0.4, 1.0]]), abs=1e-6)
    assert answer["OBJECT_LABELS"].tolist() == [b"car"]


def test_labels_and_threshold_select_detections():
    frame = frame_of(walker(0.1), walker(0.5, "car", 0.45), walker(0.8, "ball", 0.3))
    chunks = [chunk_of([frame], [0.0])]
    assert decode(chunks)[0]["OBJECT_LABELS"].tolist() == [b"person"]
    low = decode(chunks, OBJECTS_THRESHOLD=0.4)[0]
    assert low["OBJECT_LABELS"].tolist() == [b"person", b"car"]
    cars = decode(chunks, OBJECTS_THRESHOLD=0.2, OBJECTS_LABELS=["ball", "car"])[0]
    assert cars["OBJECT_LABELS"].tolist() == [b"car", b"ball"]
    assert cars["ONSCREEN_LABELS"].tolist() == [b"car", b"ball"]


def test_a_weak_detection_keeps_a_track_and_is_not_reported():
    frames = [frame_of(walker(0.1 + 0.02 * i, score=0.9 if i % 4 < 2 else 0.2)) for i in range(8)]
    (answer,) = decode([chunk_of(frames, np.arange(8) / 2)])
    assert answer["OBJECT_TRACK_IDS"].tolist() == [1] * 4
    assert answer["TRACK_SPANS"].tolist() == [[0.0, 2.5]]


def test_a_frame_that_stays_is_looked_at_once():
    frame = frame_of(walker(0.1))
    chunks = [chunk_of([frame] * 4, [0.0, 0.0, 3.0, 3.0]), chunk_of([frame] * 2, [3.0, 7.0])]
    seconds = {
        mode: [a["OBJECT_FRAME_TIMESTAMPS"].tolist() for a in decode(chunks, OBJECTS=mode)]
        for mode in MODES
    }
    assert seconds["combined"] == [[0.0, 3.0], [7.0]]
    assert seconds["chunked"] == [[0.0, 3.0], [3.0, 7.0]]  # each chunk by itself


def test_a_chunk_without_a_new_frame_has_an_answer():
    frame = frame_of(walker(0.1))
    last = decode([chunk_of([frame], [0.0]), chunk_of([frame], [0.0])])[-1]
    assert last["OBJECT_BOXES"].shape == (0, 4)
    assert last["TRACK_IDS"].tolist() == [1]


def test_a_call_has_so_few_frames_that_videos_share_batches():
    frames = [frame_of(walker(i / 50)) for i in range(20)]
    objects, chosen = finding(), options()
    calls = objects.calls(objects.start(), chunk_of(frames, np.arange(20) / 2), chosen)
    assert [len(call.inputs["FRAMES"]) for call in calls] == [FRAMES_AT_ONCE, FRAMES_AT_ONCE, 4]
    np.testing.assert_array_equal(np.concatenate([c.inputs["FRAMES"] for c in calls]), frames)


def views_of(models=MODELS, chunk_seconds=10.0, **inputs):
    arrays = {name: np.array([value]) for name, value in inputs.items()}
    request = Request({"FIND": texts(["objects"]), **arrays}.get)
    return second_views(request, models, chunk_seconds)["objects"]


def of_size(side_px, **changes):
    return ServerModels(replace(DETECTOR, width_px=side_px, height_px=side_px, **changes))


def test_the_view_is_the_detectors():
    view = views_of(OBJECTS_FPS=4.0)
    assert (view.width_px, view.height_px, view.fps) == (WIDTH_PX, HEIGHT_PX, 4.0)
    assert not view.keeps_aspect
    assert views_of(of_size(32, fit=Fit.LETTERBOX)).keeps_aspect


@pytest.mark.parametrize("side_px", [64, 320, 640, 1280])
def test_the_frames_of_a_chunk_fit_the_memory(side_px):
    view = views_of(of_size(side_px), chunk_seconds=1.0)
    assert view.max_frames * side_px**2 * 3 < SECOND_VIEWS_BYTES


def test_more_frames_than_fit_are_rejected_in_one_sentence():
    with pytest.raises(InvalidInput) as caught:
        views_of(of_size(640), OBJECTS_FPS=5.0)
    assert str(caught.value) == (
        "OBJECTS_FPS 5 in chunks of 10 s makes 50 frames of 640 x 640 per chunk, and 40 are"
        " allowed: set CHUNK_SECONDS to 8 or less"
    )
    assert views_of(of_size(640), chunk_seconds=8.0, OBJECTS_FPS=5.0).fps == 5.0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"OBJECTS": "tracked"}, "OBJECTS is 'tracked': give one of combined, chunked"),
        ({"OBJECTS": ["combined", "chunked"]}, "OBJECTS holds 2 texts"),
        ({"OBJECTS_FPS": 0.0}, "OBJECTS_FPS is 0: give more than 0 and up to 100"),
        ({"OBJECTS_FPS": float("nan")}, "OBJECTS_FPS is nan"),
        ({"OBJECTS_THRESHOLD": 0.0}, "OBJECTS_THRESHOLD is 0: give a number above 0, up to 1"),
    ],
)
def test_a_wrong_input_is_rejected(inputs, message):
    with pytest.raises(InvalidInput, match=message):
        options(**inputs)


def test_a_label_that_the_detector_lacks_is_rejected():
    message = r"names 'cow', which the detector drawn/detector does not know: give .* car, ball$"
    with pytest.raises(InvalidInput, match=message):
        finding().calls(finding().start(), walk(2)[0], options(OBJECTS_LABELS=["car", "cow"]))
    many = replace(DETECTOR, labels=tuple(f"label {i}" for i in range(365)))
    with pytest.raises(InvalidInput, match=r"label 11 and 353 others, which server_info lists$"):
        views_of(ServerModels(many), OBJECTS_LABELS=b"cow")


def test_a_server_without_detector_says_so():
    for refuse in (lambda: views_of(ServerModels()), lambda: decode(walk(2), models=NO_MODELS)):
        with pytest.raises(InvalidInput, match="needs the model object_detector, and this server"):
            refuse()


NO_MODELS = ServerModels()


def test_a_chunk_without_frames_of_its_own_is_rejected():
    chunk = replace(walk(2)[0], views={})
    with pytest.raises(InvalidInput, match="needs frames of its own"):
        decode([chunk])
    view = PackedView(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(1))
    with pytest.raises(InvalidInput, match="objects are 8 x 8: send frames of 16 x 12"):
        decode([replace(chunk, views={"objects": view})])


def test_the_mode_and_the_detector_stay_the_same():
    objects = finding()
    state, _ = after(objects, objects.start(), walk(20)[0], options())
    with pytest.raises(InvalidInput, match="OBJECTS is chunked after combined"):
        objects.calls(state, walk(20)[1], options(OBJECTS="chunked"))
    other = finding(ServerModels(replace(DETECTOR, weights_sha256="e" * 64)))
    with pytest.raises(InvalidInput, match="START_STATE is of another detector"):
        other.calls(state, walk(20)[1], options())
