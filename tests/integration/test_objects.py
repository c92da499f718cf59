# SPDX-License-Identifier: Apache-2.0
"""Objects by the real Triton: the same boxes by every way, where they are, and their tracks.

The detector finds colours: a red square that walks, a green one that stays, a blue one that comes
for a while.
"""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import tritonclient.grpc
from support.blob_detector import write_blob_detector
from support.oracle import ffmpeg
from support.raw import Raw, number, texts, video
from support.videos import write_video

from trireel_schema.catalogue import FINDINGS

from .conftest import served

WIDTH_PX, HEIGHT_PX, FPS, SECONDS = 320, 240, 10, 24
CHUNK_SECONDS, CHUNKS = 10.0, 3
BLUE_SECONDS = (6.0, 13.0)
TOLERANCE = 1.5 / 96  # one and a half rows of the detector's frame
OUTPUTS = FINDINGS["objects"].outputs
SEQUENCE = {"sequence_id": 5}


def squares(seconds):
    """Return the boxes that are on screen at a time, by colour: fractions of the picture."""
    boxes = {"red": (0.05 + 0.03 * seconds, 0.1), "green": (0.4, 0.6)}
    if BLUE_SECONDS[0] <= seconds < BLUE_SECONDS[1]:
        boxes["blue"] = (0.1, 0.55)
    return {c: (left, top, left + 0.15, top + 0.2) for c, (left, top) in boxes.items()}


def picture(seconds):
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), 90, np.uint8)
    for colour, (left, top, right, bottom) in squares(seconds).items():
        rows = slice(round(top * HEIGHT_PX), round(bottom * HEIGHT_PX))
        columns = slice(round(left * WIDTH_PX), round(right * WIDTH_PX))
        pixels[rows, columns] = np.eye(3)[("red", "green", "blue").index(colour)] * 250
    return pixels


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """The video; turned by its header, and with pixels twice as wide as high."""
    folder = tmp_path_factory.mktemp("footage")
    times = np.arange(FPS * SECONDS) / FPS
    frames = [picture(seconds) for seconds in times]
    plain = write_video(folder / "plain.mp4", frames, (times * 1000).tolist(), gop=25)
    ffmpeg("-display_rotation", "90", "-i", plain, "-c", "copy", folder / "turned.mp4")
    wide = ("-c", "copy", "-bsf:v", "h264_metadata=sample_aspect_ratio=2/1")
    ffmpeg("-i", plain, *wide, folder / "wide.mp4")
    return folder


@pytest.fixture(scope="module")
def object_server(footage, tmp_path_factory):
    detector = tmp_path_factory.mktemp("detector")
    write_blob_detector(detector)
    with served(footage, tmp_path_factory.mktemp("log"), detector=detector) as server:
        yield server


@pytest.fixture(scope="module")
def raw(object_server):
    raw = Raw(object_server, "grpc")
    yield raw
    raw.close()


def request_of(name="plain.mp4", find=("objects",), **inputs):
    return video(name, FIND=texts(*find), CHUNK_SECONDS=number("FP64", CHUNK_SECONDS), **inputs)


def answer_of(response):
    return {name: response.as_numpy(name) for name in OUTPUTS}


def whole(raw, *args, **inputs):
    return answer_of(raw.infer("video_analysis", request_of(*args, **inputs)))


def step(raw, index, sequence=SEQUENCE, **inputs):
    start = number("FP64", index * CHUNK_SECONDS)
    flags = {"sequence_start": index == 0, "sequence_end": index == CHUNKS - 1}
    request = request_of(START_SECONDS=start, **inputs)
    return raw.infer("video_chunk", request, **{**flags, **sequence})


def joined(chunks):
    """Return the answers of chunks as one: OBJECT_ joined, the others of the last chunk."""
    answer = dict(chunks[-1])
    for name in OUTPUTS:
        if name.startswith("OBJECT_"):
            answer[name] = np.concatenate([chunk[name] for chunk in chunks])
    return answer


def same(one, other):
    for name in OUTPUTS:
        if one[name].dtype == np.float32:
            np.testing.assert_allclose(one[name], other[name], atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def rows(answer):
    """Yield the time, label, box and track of each detection."""
    columns = ("OBJECT_TIMESTAMPS", "OBJECT_LABELS", "OBJECT_BOXES", "OBJECT_TRACK_IDS")
    for seconds, label, box, track in zip(*(answer[name] for name in columns), strict=True):
        yield float(seconds), label.decode(), box, int(track)


@pytest.fixture(scope="module")
def combined(raw):
    return whole(raw)


@pytest.mark.parametrize("mode", ["combined", "chunked"])
def test_every_way_gives_the_same_boxes(object_server, raw, mode):
    """By gRPC and HTTP, whole, streamed, stepped, and beside other findings."""
    inputs = {"OBJECTS": texts(mode)}
    expected = whole(raw, **inputs)
    assert expected["OBJECT_MODE"].tolist() == [mode.encode()] * CHUNKS
    http = Raw(object_server, "http")
    same(whole(http, **inputs), expected)
    beside = whole(raw, "plain.mp4", ("tags", "caption", "scenes", "quality", "objects"), **inputs)
    same(beside, expected)
    *streamed, last = raw.stream("video_analysis_stream", request_of(**inputs), count=CHUNKS + 1)
    same(answer_of(last), expected)
    same(joined([answer_of(response) for response in streamed]), expected)
    for either in (raw, http):
        stepped = [answer_of(step(either, index, **inputs)) for index in range(CHUNKS)]
        same(joined(stepped), expected)
    http.close()


def test_boxes_are_where_the_squares_are(combined):
    expected = [
        (seconds, colour, box)
        for seconds in combined["OBJECT_FRAME_TIMESTAMPS"].tolist()
        for colour, box in squares(seconds).items()
    ]
    found = sorted((seconds, label, box.tolist()) for seconds, label, box, _ in rows(combined))
    assert len(combined["OBJECT_FRAME_TIMESTAMPS"]) == 2 * SECONDS
    assert [row[:2] for row in found] == [row[:2] for row in sorted(expected)]
    for (_, _, box), (_, _, true_box) in zip(found, sorted(expected), strict=True):
        assert box == pytest.approx(true_box, abs=TOLERANCE)


def test_each_square_has_one_track_over_all_chunks(combined):
    tracks = {(label, track) for _, label, _, track in rows(combined)}
    assert sorted(tracks) == [("blue", 3), ("green", 2), ("red", 1)]
    assert combined["TRACK_IDS"].tolist() == [1, 2, 3]
    assert combined["TRACK_LABELS"].tolist() == [b"red", b"green", b"blue"]
    spans = combined["TRACK_SPANS"]
    frames = combined["OBJECT_FRAME_TIMESTAMPS"]
    assert spans[:2].tolist() == [[frames[0], frames[-1]]] * 2
    blue = frames[(frames >= BLUE_SECONDS[0]) & (frames < BLUE_SECONDS[1])]
    assert spans[2].tolist() == [blue[0], blue[-1]]
    on_screen = dict(
        zip(combined["ONSCREEN_LABELS"], combined["ONSCREEN_SPANS"].tolist(), strict=True)
    )
    assert on_screen[b"blue"] == [blue[0], blue[-1]]


def test_both_modes_find_the_same_boxes(raw, combined):
    chunked = whole(raw, OBJECTS=texts("chunked"))
    for name in OUTPUTS:
        if name.startswith(("OBJECT_", "ONSCREEN_")) and name not in ("OBJECT_MODE", TRACKS):
            np.testing.assert_array_equal(chunked[name], combined[name], err_msg=name)
    assert set(chunked[TRACKS].tolist()) == {-1}
    assert chunked["TRACK_IDS"].size == 0


TRACKS = "OBJECT_TRACK_IDS"


def test_a_turned_and_a_wide_video_have_upright_boxes(raw, combined):
    wide = whole(raw, "wide.mp4")
    np.testing.assert_allclose(wide["OBJECT_BOXES"], combined["OBJECT_BOXES"], atol=TOLERANCE)
    turned = whole(raw, "turned.mp4")
    left, top, right, bottom = combined["OBJECT_BOXES"].T
    expected = np.stack([top, 1 - right, bottom, 1 - left], axis=1)  # a quarter, counter-clockwise
    np.testing.assert_allclose(turned["OBJECT_BOXES"], expected, atol=TOLERANCE)
    assert turned[TRACKS].tolist() == combined[TRACKS].tolist()


def test_boxes_of_a_crop_are_those_of_the_whole_picture(raw):
    """The lower half: the red square is outside."""
    crop = ("FP64", np.array([0.05, 0.5, 0.8, 0.45]))
    cropped = whole(raw, CROP=crop)
    assert {label for _, label, _, _ in rows(cropped)} == {"green", "blue"}
    for seconds, label, box, _ in rows(cropped):
        assert box == pytest.approx(squares(seconds)[label], abs=TOLERANCE)


def test_labels_rate_and_threshold_of_a_request(raw):
    chosen = whole(raw, OBJECTS_LABELS=texts("blue"), OBJECTS_FPS=number("FP64", 5.0))
    assert set(chosen["OBJECT_LABELS"].tolist()) == {b"blue"}
    assert len(chosen["OBJECT_FRAME_TIMESTAMPS"]) == 5 * SECONDS
    assert len(chosen["OBJECT_TIMESTAMPS"]) == 5 * (BLUE_SECONDS[1] - BLUE_SECONDS[0])
    none = whole(raw, OBJECTS_THRESHOLD=number("FP32", 0.95))
    assert none["OBJECT_BOXES"].shape == (0, 4)


def executions(server):
    with tritonclient.grpc.InferenceServerClient(server.grpc_url) as client:
        (model,) = client.get_inference_statistics("object_detector").model_stats
    return SimpleNamespace(frames=model.inference_count, runs=model.execution_count)


def test_frames_of_many_videos_share_batches(object_server, combined):
    before = executions(object_server)

    def analyze(_):
        own = Raw(object_server, "grpc")
        try:
            return whole(own)
        finally:
            own.close()

    with ThreadPoolExecutor(6) as clients:
        for answer in clients.map(analyze, range(6)):
            same(answer, combined)
    after = executions(object_server)
    calls = 6 * CHUNKS * 3  # of 8 frames at most, for 20 frames a chunk
    assert after.frames - before.frames == 6 * 2 * SECONDS
    assert after.runs - before.runs < calls


def test_a_video_goes_on_from_its_state(raw, combined):
    """Each chunk in a sequence of its own; a chunk that comes twice has the same answer."""
    state, chunks = {}, []
    for index in range(CHUNKS):
        sequence = {"sequence_id": 90 + index, "sequence_start": True}
        inputs = {**state, "RETURN_STATE": number("BOOL", True)}
        response = step(raw, index, sequence, **inputs)
        if index < CHUNKS - 1:
            again = step(raw, index, {**sequence, "sequence_start": False})
            assert again.as_numpy("CHUNK_STATUS").tolist() == [b"repeated"]
            same(answer_of(again), answer_of(response))
        state = {"START_STATE": ("UINT8", response.as_numpy("STATE"))}
        chunks.append(answer_of(response))
    same(joined(chunks), combined)


def test_what_cannot_be_made_is_refused_in_a_sentence(raw):
    for inputs, message in (
        ({"OBJECTS_LABELS": texts("cow")}, "'cow', which the detector blobs does not know: give"),
        ({"OBJECTS_FPS": number("FP64", 0.0)}, "OBJECTS_FPS is 0: give more than 0 and up to 100"),
        ({"OBJECTS_FPS": number("FP64", 50.0)}, "makes 500 frames of 128 x 96 per chunk, and 256"),
        ({"OBJECTS": texts("all")}, "OBJECTS is 'all': give one of combined, chunked"),
    ):
        request = request_of(**inputs)
        assert message in raw.refused(400, "video_analysis", request)
        once = {**SEQUENCE, "sequence_start": True, "sequence_end": True}
        assert message in raw.refused(400, "video_chunk", request, **once)


def test_the_tracker_gives_boxes_of_others_the_same_tracks(raw, combined):
    """The boxes of a frame are padded to three; those of the first chunk, then the others."""
    times = combined["OBJECT_FRAME_TIMESTAMPS"]
    boxes, scores = np.zeros((len(times), 3, 4), np.float32), np.zeros((len(times), 3), np.float32)
    labels, expected = np.zeros((len(times), 3), np.int32), np.full((len(times), 3), -1)
    names = sorted(set(combined["OBJECT_LABELS"].tolist()))
    used = np.zeros(len(times), int)
    for seconds, label, box, track in rows(combined):
        row = int(np.searchsorted(times, seconds))
        place = row, used[row]
        boxes[place], scores[place], labels[place] = box, 0.9, names.index(label.encode())
        expected[place] = track
        used[row] += 1
    ids = []
    for part in (slice(0, 20), slice(20, None)):
        inputs = {
            "BOXES": ("FP32", boxes[part]),
            "SCORES": ("FP32", scores[part]),
            "LABELS": ("INT32", labels[part]),
            "TIMESTAMPS": ("FP64", times[part]),
        }
        flags = {"sequence_start": part.start == 0, "sequence_end": part.start > 0}
        response = raw.infer("object_tracker", inputs, sequence_id=8, **flags)
        ids.append(response.as_numpy("BOX_TRACK_IDS"))
    assert np.concatenate(ids).tolist() == expected.tolist()
