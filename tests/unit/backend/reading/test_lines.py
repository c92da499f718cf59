# SPDX-License-Identifier: Apache-2.0
"""Pictures of lines: height, padding, groups by width; frames padded for the detector."""

import numpy as np
import pytest

from trireel_backend.reading.lines import (
    LINE_WIDTHS_PX,
    PADDING,
    detector_frames,
    grouped_lines,
    line_picture,
    line_pictures,
)

FRAME = np.random.default_rng(3).integers(0, 256, (90, 1300, 3), dtype=np.uint8)


def box(x1, y1, x2, y2):
    return np.array([x1, y1, x2, y2], np.int32)


def test_a_line_of_the_right_height_keeps_its_pixels():
    assert np.array_equal(line_picture(FRAME, box(5, 10, 105, 58)), FRAME[10:58, 5:105])


@pytest.mark.parametrize(
    ("sides", "width"), [((0, 0, 100, 24), 200), ((0, 0, 3, 90), 2), ((0, 0, 1300, 20), 1920)]
)
def test_a_line_is_scaled_to_48_rows(sides, width):
    assert line_picture(FRAME, box(*sides)).shape == (48, width, 3)


@pytest.mark.parametrize("sides", [(5, 5, 5, 9), (-1, 0, 9, 9), (0, 0, 1301, 9), (0, 80, 9, 91)])
def test_a_box_outside_the_frame_is_rejected(sides):
    with pytest.raises(ValueError, match=r"is empty or outside a frame of 1300x90 pixels"):
        line_picture(FRAME, box(*sides))


def test_lines_are_grouped_by_the_next_width():
    boxes = np.stack(
        [box(0, 0, 400, 48), box(0, 0, 90, 48), box(9, 0, 480, 48), box(1, 0, 161, 48)]
    )
    groups = line_pictures(FRAME, boxes)
    assert [(group.pictures.shape, group.indices) for group in groups] == [
        ((2, 48, 160, 3), (1, 3)),
        ((2, 48, 480, 3), (0, 2)),
    ]
    assert np.array_equal(groups[1].pictures[0, :, :400], FRAME[:48, :400])
    assert (groups[1].pictures[0, :, 400:] == PADDING).all()


def test_lines_of_several_frames_share_a_group():
    (group,) = grouped_lines([FRAME[:48, :200], FRAME[:48, :300], FRAME[:48, : LINE_WIDTHS_PX[1]]])
    assert group.pictures.shape == (3, 48, 320, 3)
    assert grouped_lines([]) == []


def test_no_boxes_make_no_pictures():
    assert line_pictures(FRAME, np.empty((0, 4), np.int32)) == []


def test_frames_are_padded_by_their_own_edges():
    padded = detector_frames(FRAME[None])
    assert padded.shape == (1, 96, 1312, 3)
    assert np.array_equal(padded[0, :90, :1300], FRAME)
    assert (padded[0, 90:, :1300] == FRAME[-1]).all()
    assert (padded[0, :90, 1300:] == FRAME[:, -1:]).all()


def test_frames_of_a_fitting_size_stay_as_they_are():
    assert detector_frames(FRAME[None, :64, :640]).shape == (1, 64, 640, 3)
