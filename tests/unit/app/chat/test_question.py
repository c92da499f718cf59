# SPDX-License-Identifier: Apache-2.0
"""What a question looks for."""

import pytest

from trireel_app.chat.question import MOST_CHARACTERS, Kind, read_question


@pytest.mark.parametrize(
    ("text", "subject", "kind"),
    [
        ("When is a person lying on their back?", "a person lying on their back", Kind.OTHER),
        ("Where can I see a forklift truck?", "a forklift truck", Kind.PLACE),
        ("How many people are in the kitchen?", "people in the kitchen", Kind.HOW_MANY),
        ("Is there an athlete with a barbell?", "an athlete with a barbell", Kind.YES_NO),
        ("Can you show me the beach, please?", "the beach", Kind.OTHER),
        ("Which videos show busy road traffic", "busy road traffic", Kind.OTHER),
        ("What is this video about?", "", Kind.OTHER),
        ("And when?", "", Kind.OTHER),
        ("At what time does the car appear in the video?", "the car", Kind.OTHER),
        ("Wo kocht jemand?", "Wo kocht jemand", Kind.OTHER),
        ("?!…", "", Kind.OTHER),
    ],
)
def test_the_asking_words_are_left_out(text, subject, kind):
    question = read_question(text)
    assert (question.subject, question.kind) == (subject, kind)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("What happens at 0:05?", 5.0),
        ("What is seen at 01:02.5?", 62.5),
        ("and at 1:00:01", 3601.0),
        ("What happens at 5?", None),
    ],
)
def test_a_time_is_read(text, seconds):
    question = read_question(text)
    assert question.at_seconds == seconds
    if seconds is not None:
        assert question.subject == ""


def test_quoted_words_are_looked_for_on_the_screen():
    assert read_question("When does it say “Closing sale”?").on_screen == "Closing sale"
    assert read_question('Is "" there?').on_screen is None


def test_a_long_question_is_cut():
    question = read_question("a\n" * 10_000)
    assert len(question.text) == MOST_CHARACTERS
    assert len(question.subject.split()) == 40
