# SPDX-License-Identifier: Apache-2.0
"""Scores of captions: extents, exact frames, characters, and captions that are none."""

import itertools
import random

import pytest

from benchmarks.captions.score import (
    FoundCaption,
    Score,
    TrueCaption,
    Truth,
    edit_distance,
    normal,
    score,
    total,
)

HARD = TrueCaption("We leave at seven.", (1.0, 1.0), (2.0, 2.0))
FADED = TrueCaption("Nobody told me.", (4.0, 4.2), (5.8, 6.0))
TRUTH = Truth((HARD, FADED), (("logo", "NordTV"), ("clock", "12:30:05")))
SAMPLING_SECONDS = 0.1


def scored(*found, truth=TRUTH):
    return score(truth, [FoundCaption(*one) for one in found], SAMPLING_SECONDS)


def test_the_truth_itself_is_without_fault():
    result = scored((HARD.text, 1.0, 2.0), (FADED.text, 4.0, 6.0))
    assert (result.extents.f1, result.exact.f1, result.exact_rate) == (1, 1, 1)
    assert (result.error_rate, result.error_rate_with_missing, result.false) == (0, 0, {})


@pytest.mark.parametrize("ends", [(4.0, 5.8), (4.2, 6.0), (4.1, 5.9)])
def test_every_frame_of_a_fade_is_a_right_end(ends):
    assert scored((FADED.text, *ends)).exact.hits == 1


@pytest.mark.parametrize(
    ("ends", "near", "exact_ends"),
    [((1.1, 2.0), 1, 1), ((1.0, 2.1), 1, 1), ((0.9, 2.1), 1, 0), ((1.2, 2.0), 0, 1)],
)
def test_an_end_may_be_one_sampled_frame_off(ends, near, exact_ends):
    result = scored((HARD.text, *ends))
    assert (result.extents.hits, result.exact_ends, result.exact.hits) == (near, exact_ends, 0)


def test_two_captions_that_were_merged_are_one_hit_at_most():
    result = scored((HARD.text, 1.0, 6.0))
    assert (result.extents.hits, result.extents.missed, result.extents.false) == (0, 2, 1)
    assert result.characters_found == len(HARD.text)


def test_a_caption_in_two_pieces_is_one_hit_and_one_false():
    result = scored((HARD.text, 1.0, 1.95), (HARD.text, 1.96, 2.0))
    assert (result.extents.hits, result.extents.false, result.false) == (1, 1, {"other": 1})


def test_characters_count_in_what_was_found_and_in_all():
    result = scored(("We leave at eleven.", 1.0, 2.0))
    assert result.wrong == 2
    assert result.error_rate == 2 / len(HARD.text)
    both = len(HARD.text) + len(FADED.text)
    assert result.error_rate_with_missing == (2 + len(FADED.text)) / both


@pytest.mark.parametrize(
    ("text", "kind"),
    [("NordTV", "logo"), ("Nord TV", "logo"), ("12:31:17", "clock"), ("A shop sign", "other")],
)
def test_a_caption_that_is_none_is_named(text, kind):
    assert scored((text, 0.0, 9.0)).false == {kind: 1}


def test_another_text_at_the_same_time_is_no_hit():
    result = scored(("xyzw xyzw", 1.0, 2.0))
    assert (result.extents.hits, result.extents.false) == (0, 1)


def test_a_video_without_captions_and_without_answers_is_right():
    assert scored(truth=Truth(())).extents.f1 == 1


def test_scores_add_up():
    first = scored((HARD.text, 1.0, 2.0), ("NordTV", 0.0, 9.0))
    second = scored((FADED.text, 4.0, 6.0), ("NordTV", 0.0, 9.0), ("12:30:09", 3.0, 3.1))
    both = total([first, second])
    assert both.extents.hits == both.exact.hits == 2
    assert both.false == {"logo": 2, "clock": 1}
    assert total([]) == Score()


def test_lines_and_composed_letters_are_compared_as_read():
    assert normal("Früher \n  stand") == normal("Fru\u0308her stand")


def plain_distance(first, second):
    """The textbook's recursion."""
    if not first or not second:
        return len(first) + len(second)
    tails = first[1:], second[1:]
    if first[0] == second[0]:
        return plain_distance(*tails)
    pairs = (tails[0], second), (first, tails[1]), tails
    return 1 + min(plain_distance(*pair) for pair in pairs)


def test_the_edit_distance_is_the_textbooks():
    dice = random.Random(1)
    words = ["".join(dice.choices("ab é", k=dice.randrange(6))) for _ in range(14)]
    for first, second in itertools.product(words, words):
        assert edit_distance(first, second) == plain_distance(first, second)
