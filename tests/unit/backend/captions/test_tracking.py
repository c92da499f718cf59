# SPDX-License-Identifier: Apache-2.0
"""Lines of text from frame to frame: first and last frame, fades, changes of one letter."""

import numpy as np
import pytest
from support.captions import BOX, FPS, found_at, moving_background, still_background, stretch_of

from trireel_backend.captions.lines import ClosedLine
from trireel_backend.captions.tracking import Tracked, track

COUNT = 60
BACKGROUNDS = pytest.mark.parametrize("background", [moving_background, still_background])


def frames_of(line: ClosedLine) -> tuple[int, int, int]:
    """Return the indices of the first frame, the last frame and the first without the line."""
    return line.first.pts, line.last.pts, line.end.pts


def closed(shown, found, background=moving_background, **options) -> list[ClosedLine]:
    frames = stretch_of(shown, COUNT, background=background, **options)
    return list(track(Tracked(), frames, 0, found_at(found)).closed)


@BACKGROUNDS
def test_first_and_last_frame_are_found_exactly(background):
    (line,) = closed(lambda i: ("Hello there", float(10 <= i < 41)), [6], background)
    assert frames_of(line) == (10, 40, 41)


def test_borders_are_exact_with_few_samples():
    (line,) = closed(lambda i: ("Hello there", float(10 <= i < 41)), [1], samples_fps=2)
    assert frames_of(line) == (10, 40, 41)


@BACKGROUNDS
def test_a_line_that_fades_begins_at_half_opacity(background):
    def shown(index: int) -> tuple[str, float]:
        return "Hello there", float(np.clip(min((index - 10) / 8, (50 - index) / 8), 0, 1))

    (line,) = closed(shown, [5, 7], background)
    first, last, _ = frames_of(line)
    assert abs(first - 14) <= 1
    assert abs(last - 46) <= 1


def test_a_sharper_picture_takes_the_place_of_a_faded_one():
    (line,) = closed(lambda i: ("Hello there", min(1.0, i / 20) * (i < 50)), [2])
    assert line.picture.max() == 255


@BACKGROUNDS
def test_another_text_ends_the_line(background):
    lines = closed(
        lambda i: ("Hello there", 1.0) if i < 30 else ("Good evening", 1.0), [1, 12], background
    )
    assert frames_of(lines[0]) == (0, 29, 30)


@BACKGROUNDS
@pytest.mark.parametrize("texts", [("Here we are", "Hare we are"), ("Come home", "Come hone")])
def test_a_change_of_one_letter_ends_the_line(background, texts):
    line, *_ = closed(lambda i: (texts[i >= 32], 1.0), [1, 13], background)
    assert frames_of(line) == (0, 31, 32)


def test_a_letter_that_only_grows_ends_the_line():
    line, *_ = closed(lambda i: (("Fat cat", "Eat cat")[i >= 32], 1.0), [1, 13], still_background)
    assert frames_of(line)[1] == 31


def test_a_pause_of_one_frame_is_found():
    lines = closed(lambda i: ("Hello there" if i < 30 else "See you soon", float(i != 30)), [1, 13])
    assert frames_of(lines[0]) == (0, 29, 30)


def test_lines_go_on_in_the_next_stretch():
    frames = stretch_of(lambda i: ("Hello there", float(10 <= i < 41)), COUNT)
    first, second = frames.from_frame(0), frames.from_frame(30)
    first = type(frames)(
        frames.frames[:30], frames.moments[:30], [s for s in frames.samples if s < 30]
    )
    before = track(Tracked(), first, 0, found_at([6]))
    assert len(before.open) == 1
    both = first.following(second)
    (line,) = track(before, both, len(first.samples), {}).closed
    assert frames_of(line) == (10, 40, 41)


def test_a_wider_box_replaces_a_part_of_its_line():
    frames = stretch_of(lambda i: ("Hello there", float(i >= 10)), COUNT)
    part = BOX - np.array([0, 0, 180, 0], np.int32)
    tracked = track(Tracked(), frames, 0, {**found_at([6], part), **found_at([9])})
    assert tracked.closed == ()
    (line,) = tracked.open
    assert line.first.pts == 10
    assert line.reference.box.tolist() == BOX.tolist()


def test_a_known_line_is_not_begun_again():
    frames = stretch_of(lambda i: ("Hello there", 1.0), COUNT)
    tracked = track(Tracked(), frames, 0, found_at(range(20)))
    assert len(tracked.open) == 1
    assert tracked.closed == ()
    assert tracked.open[0].last.seconds == pytest.approx(57 / FPS)
