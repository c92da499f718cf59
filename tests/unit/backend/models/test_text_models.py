# SPDX-License-Identifier: Apache-2.0
"""The two models that read text: batches of many requests, and pictures that are not allowed."""

import dataclasses

import numpy as np
import pytest
from support.text import lettered, text_folder

from trireel_backend.errors import CanaryFailed, InvalidInput, StartupError
from trireel_backend.launch.repository.text import text_sources
from trireel_backend.launch.text_canary import check_known_text
from trireel_backend.models.text_detector import DetectorSettings, TextDetector, checked_frames
from trireel_backend.models.text_recognizer import TextRecognizer, checked_lines
from trireel_backend.reading.boxes import TextBoxes
from trireel_backend.reading.codes import ReadLine
from trireel_backend.text_models.files import DETECTOR_MODEL, RECOGNIZER_MODEL
from trireel_backend.text_models.known import load_known_text

SETTINGS = DetectorSettings(threads=2, providers="CPUExecutionProvider")


@pytest.fixture(params=["large", "small"])
def settings(request):
    return dataclasses.replace(SETTINGS, detector=request.param)


@pytest.fixture
def folder(tmp_path):
    """A version folder, as the launcher makes it."""

    def link(model):
        for name, source in text_sources(text_folder())[model].items():
            (tmp_path / name).symlink_to(source)
        return tmp_path

    return link


def test_frames_of_several_requests_get_their_maps(folder, settings):
    detector = TextDetector(folder(DETECTOR_MODEL), settings)
    frames = [lettered((160, 64), [((8, 12), text, 26)]) for text in ("First", "Second", "Third")]
    parts = [np.stack(frames[:2]), frames[2][None]]
    answers = [answer["TEXT_MAP"] for answer in detector.detect_together(parts)]
    assert [(answer.dtype, answer.shape) for answer in answers] == [
        (np.uint8, (2, 64, 160)),
        (np.uint8, (1, 64, 160)),
    ]
    (alone,) = detector.detect_together([frames[1][None]])
    assert np.array_equal(alone["TEXT_MAP"][0], answers[0][1])


def test_an_unknown_detector_is_rejected(folder):
    unknown = dataclasses.replace(SETTINGS, detector="huge")
    with pytest.raises(StartupError, match="detector is 'huge': give large or small"):
        TextDetector(folder(DETECTOR_MODEL), unknown)


def test_lines_of_several_requests_get_their_codes(folder):
    recognizer = TextRecognizer(folder(RECOGNIZER_MODEL), SETTINGS)
    lines = np.stack([lettered((160, 48), [((6, 6), text, 28)]) for text in ("First", "Third")])
    answers = list(recognizer.recognize_together([lines, lines[1:]]))
    assert [answer["CODES"].shape for answer in answers] == [(2, 20), (1, 20)]
    assert answers[0]["CODES"].dtype == np.int32
    assert answers[0]["CODE_SCORES"].dtype == np.float32
    assert np.array_equal(answers[0]["CODES"][1], answers[1]["CODES"][0])
    assert not np.array_equal(answers[0]["CODES"][0], answers[0]["CODES"][1])


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((64, 100), r"FRAMES are 100x64 pixels: each side must be a multiple of 32; pad"),
        ((0, 32), r"FRAMES are 32x0 pixels"),
        ((4096, 2336), r"2336x4096 pixels: 9437184 pixels are allowed; scale them down"),
    ],
)
def test_frames_of_a_wrong_size_are_rejected(size, message):
    with pytest.raises(InvalidInput, match=message):
        checked_frames(np.broadcast_to(np.uint8(0), (1, *size, 3)))


@pytest.mark.parametrize("width", [0, 15, 4097])
def test_lines_of_a_wrong_width_are_rejected(width):
    with pytest.raises(InvalidInput, match=rf"LINES are {width} pixels wide: give 16 to 4096"):
        checked_lines(np.broadcast_to(np.uint8(0), (1, 48, width, 3)))


def test_pictures_of_a_right_size_are_accepted():
    frames, lines = np.zeros((2, 32, 64, 3), np.uint8), np.zeros((2, 48, 16, 3), np.uint8)
    assert checked_frames(frames) is frames
    assert checked_lines(lines) is lines


def test_the_canary_compares_texts_and_places():
    known = load_known_text()
    right = TextBoxes(known.boxes, np.ones(len(known.boxes), np.float32))
    lines = [ReadLine(text, 0.9) for text in known.texts]
    check_known_text(known, right, lines)
    with pytest.raises(CanaryFailed, match="were read as"):
        check_known_text(known, right, [lines[0], ReadLine("Gruse aus Koln", 0.9)])
    with pytest.raises(CanaryFailed, match="were read as"):
        check_known_text(known, right, lines[:1])
    moved = TextBoxes(known.boxes + np.array([0, 30, 0, 30], np.int32), right.scores)
    with pytest.raises(CanaryFailed, match="places the known lines at"):
        check_known_text(known, moved, lines)
