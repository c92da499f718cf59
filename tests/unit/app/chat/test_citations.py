# SPDX-License-Identifier: Apache-2.0
"""Nothing but what was given can be cited, however the answer comes in pieces."""

import pytest

from trireel_app.chat.citations import CheckedText
from trireel_app.chat.sightings import Sighting, clock, mentioned, names_of

SIGHTINGS = (
    Sighting(
        video_id="a1",
        name="yard (2).mp4",
        start_seconds=8.0,
        end_seconds=12.5,
        at_seconds=10.25,
        probability=0.9,
    ),
    Sighting(
        video_id="b2",
        name="gate.mp4",
        start_seconds=3600.0,
        end_seconds=3610.0,
        at_seconds=3605.5,
        probability=0.8,
    ),
)


def checked(text, pieces=None, sightings=SIGHTINGS):
    found = CheckedText(sightings)
    shown = "".join(found.add(piece) for piece in (pieces or [text])) + found.end()
    return shown, [c.text for c in found.citations], list(found.removed)


RIGHT = "[yard (2).mp4 00:10.250]"


@pytest.mark.parametrize(
    ("text", "shown", "citations", "removed"),
    [
        (f"A car stops {RIGHT}.", f"A car stops {RIGHT}.", [RIGHT], []),
        ("[YARD  (2).mp4 0:11]", RIGHT, [RIGHT], []),
        ("[gate.mp4 1:00:05.5]", "[gate.mp4 60:05.500]", ["[gate.mp4 60:05.500]"], []),
        ("[gate.mp4 60:05.500]", "[gate.mp4 60:05.500]", ["[gate.mp4 60:05.500]"], []),
        ("Wrong time [gate.mp4 00:01.000].", "Wrong time.", [], ["[gate.mp4 00:01.000]"]),
        ("Wrong video [x 00:10.250] here", "Wrong video here", [], ["[x 00:10.250]"]),
        ("No name [00:10.250]", "No name", [], ["[00:10.250]"]),
        (
            "Both [yard (2).mp4 00:10.250; gate.mp4 60:05.500].",
            "Both [yard (2).mp4 00:10.250] [gate.mp4 60:05.500].",
            [RIGHT, "[gate.mp4 60:05.500]"],
            [],
        ),
        (
            "One of two is wrong [yard (2).mp4 00:10.250, x 00:01.000]",
            "One of two is wrong",
            [],
            ["[yard (2).mp4 00:10.250, x 00:01.000]"],
        ),
        ("A list [1] and {x}", "A list (1) and (x)", [], []),
        ("[music plays] softly", "(music plays) softly", [], []),
        ("Open [yard (2).mp4 00:10", "Open (yard (2).mp4 00:10", [], []),
        (f"[[yard [{'x' * 300}] {RIGHT}", f"((yard ({'x' * 300}) {RIGHT}", [RIGHT], []),
        ("[click](https://evil.example/a)", "(click)((link removed)", [], []),
        ("See https://evil.example/?q=1 now", "See (link removed) now", [], []),
        (
            "See evil.example/a and www.evil.example",
            "See (link removed) and (link removed)",
            [],
            [],
        ),
        ("javascript:alert(1) data:text/html,x", "(link removed) (link removed)", [], []),
        ("<img src=x onerror=y>", "\u2039img src=x onerror=y\u203a", [], []),
        ("One\nline\r\nand\u202e another\x00", "One\nline\nand  another ", [], []),
    ],
)
def test_an_answer_is_checked(text, shown, citations, removed):
    assert checked(text) == (shown, citations, removed)
    assert checked(text, list(text)) == (shown, citations, removed)
    for at in range(len(text)):
        assert checked(text, [text[:at], text[at:]]) == (shown, citations, removed)


def test_a_citation_has_the_bounds_of_its_moment():
    found = CheckedText(SIGHTINGS)
    found.add("[yard (2).mp4 00:12.501] [yard (2).mp4 00:08.000]")
    first, second = found.citations
    assert (first.video, first.start_seconds, first.end_seconds) == ("a1", 8.0, 12.5)
    assert (first.at_seconds, second.at_seconds) == (12.5, 8.0)


def test_one_video_needs_no_name():
    assert checked("[00:10.250]", sightings=SIGHTINGS[:1])[1] == [RIGHT]


def test_nothing_is_cited_without_moments():
    assert checked(f"{RIGHT} [x 00:00.000]", sightings=())[1] == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00.000"), (59.9996, "01:00.000"), (5400.5, "90:00.500"), (-0.1, "00:00.000")],
)
def test_times_are_written_in_minutes(seconds, text):
    assert clock(seconds) == text


def test_names_are_plain_and_differ():
    names = names_of(
        {
            "1": "/a/clip.mp4",
            "2": "s3://b/Clip.mp4",
            "3": "x [00:01.000]\n<b>.mp4",
            "4": "https://h/%5Bq%5D.mp4",
            "5": "",
        }
    )
    assert list(names.values()) == [
        "clip.mp4",
        "Clip.mp4 (2)",
        "x (00 01.000) \u2039b\u203a.mp4",
        "(q).mp4",
        "video",
    ]


def test_a_question_may_name_videos():
    names = {"1": "drawn-1.mp4", "2": "drawn-12.mp4", "3": "a.mp4"}
    assert mentioned(names, "What is in drawn-1?") == ({"1": "drawn-1.mp4"}, "What is in  ?")
    assert mentioned(names, "DRAWN-12.mp4 please")[0] == {"2": "drawn-12.mp4"}
    assert mentioned(names, "Is a car there?") == (names, "Is a car there?")


def test_a_name_that_is_a_word_needs_its_ending():
    names = {"1": "kitchen.mp4", "2": "video", "3": "the yard.mp4"}
    for text in ("Is there a kitchen?", "What is in this video?", "Who is in the yard?"):
        assert mentioned(names, text) == (names, text)
    assert mentioned(names, "Who is in kitchen.mp4?")[0] == {"1": "kitchen.mp4"}
