# SPDX-License-Identifier: Apache-2.0
"""Our graphs answer as the published ones do, and read what is written."""

import zipfile

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from support.text import lettered, published_wheels, text_folder

from trireel_backend.reading.boxes import joined_lines, text_boxes
from trireel_backend.reading.codes import read_codes
from trireel_backend.reading.lines import detector_frames, grouped_lines, line_pictures
from trireel_backend.text_models.files import (
    LARGE_DETECTOR_FILE,
    RECOGNIZER_FILE,
    SMALL_DETECTOR_FILE,
    load_characters,
)
from trireel_backend.text_models.known import load_known_text
from trireel_backend.text_models.make import (
    LARGE_DETECTOR_MEMBER,
    RECOGNIZER_MEMBER,
    SMALL_DETECTOR_MEMBER,
)

DETECTORS = {
    SMALL_DETECTOR_FILE: SMALL_DETECTOR_MEMBER,
    LARGE_DETECTOR_FILE: LARGE_DETECTOR_MEMBER,
}
TEXTS = ("The train to Lisbon is late", "Früher stand hier 1 Mühle", "it won't be 40 km")
ONE_STEP = 1.01 / 255  # of a map in bytes


def session(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def ours():
    names = (*DETECTORS, RECOGNIZER_FILE)
    return {name: session(text_folder() / name) for name in names}


def published(member):
    for wheel in published_wheels():
        with zipfile.ZipFile(wheel) as archive:
            if member in archive.namelist():
                return session(archive.read(member))
    raise AssertionError(f"no wheel has {member}")


def as_published(pictures):
    """Blue, green, red of -1 to 1, as the published graphs take pictures."""
    return (pictures[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(0, 3, 1, 2).copy()


@pytest.fixture(scope="module")
def frame():
    places = ((20, 16), (30, 64), (16, 108))
    lines = [(at, text, size) for at, text, size in zip(places, TEXTS, (30, 26, 18), strict=True)]
    return lettered((480, 144), lines)


@pytest.fixture(scope="module")
def lines(frame):
    """Three lines of one padded width, and the third alone without padding."""
    boxes = np.array([[14, 12, 470, 54], [24, 62, 420, 98], [12, 104, 200, 134]], np.int32)
    return line_pictures(frame, boxes)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_map_is_the_published_one_in_bytes(ours, name, frame):
    frames = detector_frames(frame[None])
    (text_map,) = ours[name].run(None, {"FRAMES": frames})
    (expected,) = published(DETECTORS[name]).run(None, {"x": as_published(frames)})
    assert (text_map.dtype, text_map.shape) == (np.uint8, frames.shape[:3])
    assert np.abs(text_map / 255 - expected[:, 0]).max() <= ONE_STEP / 2
    assert text_map.max() > 200


def test_codes_are_the_published_ones(ours, lines):
    original = published(RECOGNIZER_MEMBER)
    for group in lines:
        codes, scores = ours[RECOGNIZER_FILE].run(None, {"LINES": group.pictures})
        (expected,) = original.run(None, {"x": as_published(group.pictures)})
        assert (codes.dtype, codes.shape[1]) == (np.int32, group.pictures.shape[2] // 8)
        assert np.array_equal(codes, expected.argmax(axis=2))
        assert np.allclose(scores, expected.max(axis=2), atol=1e-5)


def read(ours, detector, frame):
    (maps,) = ours[detector].run(None, {"FRAMES": detector_frames(frame[None])})
    found = joined_lines(text_boxes(maps[0], frame.shape[:2]))
    texts = {}
    for group in line_pictures(frame, found.boxes):
        codes, scores = ours[RECOGNIZER_FILE].run(None, {"LINES": group.pictures})
        read = read_codes(codes, scores, load_characters(text_folder()))
        texts |= dict(zip(group.indices, read, strict=True))
    return [texts[index] for index in range(len(found))]


@pytest.mark.parametrize("name", DETECTORS)
def test_drawn_lines_are_read_as_they_are_written(ours, name, frame):
    lines = read(ours, name, frame)
    assert [line.text for line in lines] == list(TEXTS)
    assert min(line.confidence for line in lines) > 0.9


@pytest.mark.parametrize("name", DETECTORS)
def test_the_known_picture_is_read(ours, name):
    known = load_known_text()
    assert [line.text for line in read(ours, name, known.frame)] == list(known.texts)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_frame_alone_is_as_in_a_batch(ours, name, frame):
    frames = detector_frames(np.stack([frame, frame[::-1], frame[:, ::-1], frame]))
    (together,) = ours[name].run(None, {"FRAMES": frames})
    alone = [ours[name].run(None, {"FRAMES": frames[at : at + 1]})[0][0] for at in range(4)]
    assert np.abs(together.astype(int) - np.stack(alone)).max() <= 1  # rounding of the last bit
    assert np.array_equal(together[0], together[3])


def test_a_line_alone_is_as_in_a_batch(ours, lines):
    (pictures,) = (group.pictures for group in lines if len(group.pictures) > 1)
    codes, scores = ours[RECOGNIZER_FILE].run(None, {"LINES": pictures})
    for row, line in enumerate(pictures):
        alone, alone_scores = ours[RECOGNIZER_FILE].run(None, {"LINES": line[None]})
        assert np.array_equal(codes[row], alone[0])
        assert np.allclose(scores[row], alone_scores[0], atol=1e-4)


def test_padding_changes_no_text(ours, lines):
    """The same lines, cut off behind the text and padded to twice their width."""
    characters = load_characters(text_folder())
    for group in lines:
        width = group.pictures.shape[2]
        wide = np.pad(group.pictures, ((0, 0), (0, 0), (0, width), (0, 0)), constant_values=127)
        texts = []
        for pictures in (group.pictures, wide):
            codes, scores = ours[RECOGNIZER_FILE].run(None, {"LINES": pictures})
            texts.append([line.text for line in read_codes(codes, scores, characters)])
        assert texts[0] == texts[1]


def test_every_width_of_lines_passes_the_graph(ours):
    lines = [np.full((48, width, 3), 90, np.uint8) for width in (1, 161, 1920)]
    for group in grouped_lines(lines):
        codes, _ = ours[RECOGNIZER_FILE].run(None, {"LINES": group.pictures})
        assert codes.shape == (1, group.pictures.shape[2] // 8)


@pytest.mark.parametrize("name", [*DETECTORS, RECOGNIZER_FILE])
def test_the_graphs_are_valid(name):
    onnx.checker.check_model(onnx.load(text_folder() / name), full_check=True)
