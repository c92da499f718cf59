# SPDX-License-Identifier: Apache-2.0
"""Captions out of lines that were read: merging, rows, logos, clocks, and when they are certain."""

import numpy as np
import pytest

from trireel_backend.captions.assembly import Clock, Pending, assemble
from trireel_backend.captions.merging import ReadText, edit_distance
from trireel_backend.captions.stretch import Moment

BOX = (100, 10, 300, 40)


def line(
    text: str, first: float, end: float, *, box=BOX, confidence=0.98, samples=10, sharpness=1.0
) -> ReadText:
    moments = (Moment(at, round(at * 100)) for at in (first, end - 0.01, end))
    return ReadText(text, confidence, np.array(box, np.int32), *moments, samples, sharpness)


def captions(*lines: ReadText, until: float = 100.0) -> list[tuple[str, float, float]]:
    """Return the captions of a whole video: text, first frame, end."""
    _, found = assemble(Pending(), lines, (), Clock(0.0, until, 0.1, is_last=True))
    return [(each.text, each.first.seconds, each.end.seconds) for each in found]


def test_neighbours_with_the_same_text_are_one_caption():
    assert captions(line("Hello", 1, 2), line("Hello", 2.2, 3)) == [("Hello", 1, 3)]


def test_the_same_text_after_a_pause_is_another_caption():
    assert len(captions(line("Hello", 1, 2), line("Hello", 2.5, 3))) == 2


def test_texts_that_differ_by_a_letter_are_two_captions():
    assert len(captions(line("We come", 1, 2), line("We came", 2, 3))) == 2


def test_a_bad_reading_takes_the_text_of_its_neighbour():
    found = captions(line("We come", 1, 2), line("We cone", 2, 3, confidence=0.7, samples=2))
    assert found == [("We come", 1, 3)]


def test_a_weak_picture_of_a_fade_moves_no_border():
    weak = line("We come", 1.9, 2.4, samples=1, sharpness=0.2)
    assert captions(line("We come", 1, 2), weak) == [("We come", 1, 2)]


def test_rows_on_screen_together_are_one_caption():
    below = line("there", 1, 2, box=(120, 42, 280, 72))
    assert captions(below, line("Hello", 1, 2)) == [("Hello\nthere", 1, 2)]


def test_parts_of_one_row_are_joined_by_a_space():
    beside = line("there", 1, 2, box=(320, 12, 400, 40))
    assert captions(beside, line("Hello", 1, 2)) == [("Hello there", 1, 2)]


def test_rows_with_times_of_their_own_are_two_captions():
    below = line("there", 1.5, 2, box=(120, 42, 280, 72))
    assert [text for text, *_ in captions(line("Hello", 1, 2), below)] == ["Hello", "there"]


def test_a_logo_is_no_caption():
    logo = line("TV7", 0, 12, box=(400, 0, 440, 20))
    assert captions(logo, line("Hello", 1, 2), until=12.0) == [("Hello", 1, 2)]


def test_a_logo_that_is_lost_at_times_is_no_caption():
    logos = [line("TV7", at, at + 3, box=(400, 0, 440, 20)) for at in (0, 4, 8, 12, 16, 20)]
    assert captions(*logos, until=24.0) == []


def test_a_long_caption_of_a_long_video_is_one():
    assert len(captions(line("Read this", 5, 15), until=60.0)) == 1


def test_a_clock_is_no_caption():
    clock = [line(f"12:00:0{second}", second, second + 1) for second in range(5)]
    assert captions(*clock) == []


def test_a_year_is_a_caption():
    assert captions(line("1984", 1, 3)) == [("1984", 1, 3)]


@pytest.mark.parametrize("text", ["", "-", "·"])
def test_a_line_without_letters_is_no_caption(text):
    assert captions(line(text, 1, 2)) == []


def test_a_caption_is_returned_when_nothing_can_join_it():
    pending, early = assemble(Pending(), [line("Hello", 1, 2)], (), Clock(0, 2.2, 0.1))
    assert early == []
    _, found = assemble(pending, [], (), Clock(0, 2.5, 0.1))
    assert [each.text for each in found] == ["Hello"]


@pytest.mark.parametrize(
    ("first", "second", "distance"), [("", "abc", 3), ("later", "latar", 1), ("cat", "cart", 1)]
)
def test_edit_distance_counts_letters(first, second, distance):
    assert edit_distance(first, second) == distance
