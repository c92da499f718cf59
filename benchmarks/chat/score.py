# SPDX-License-Identifier: Apache-2.0
"""Counts of right, wrong and invented citations, and of answers that decline."""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.chat.questions import SCENE_SECONDS, SCENES_A_VIDEO

ANSWERABLE = ("activity", "place", "both")
CITED = re.compile(r"\[([^\[\]]+) (\d+):(\d\d\.\d{3})\]")
MARKUP = re.compile(r"https?:|<[a-z]", re.IGNORECASE)
TOLERANCE_SECONDS = 0.05
Found = Mapping[str, Any]


def totals(answers: Sequence[Found]) -> dict[str, Any]:
    """Return the counts over all answers of a run."""
    known = [answer for answer in answers if answer["kind"] in ANSWERABLE]
    cited = [(answer, each) for answer in known for each in places(answer["answer"])]
    right = [answer for answer, place in cited if is_right(place, answer["truth"])]
    first = [answer for answer in known if first_is_right(answer)]
    return {
        "answerable": len(known),
        "answered": sum(bool(places(answer["answer"])) for answer in known),
        "first_right": len(first),
        "citations": len(cited),
        "citations_right": len(right),
        "invented": sum(invented(answer) for answer in answers),
        "removed": sum(len(answer["removed"]) for answer in answers),
        "with_links_or_markup": sum(bool(MARKUP.search(answer["answer"])) for answer in answers),
        "by_model": sum(answer["mode"] == "model" for answer in answers),
        **_declined(answers, "absent"),
        **_declined(answers, "never drawn"),
        "p50_ms": statistics.median(answer["ms"] for answer in answers),
        "p95_ms": statistics.quantiles([answer["ms"] for answer in answers], n=20)[-1],
    }


def places(text: str) -> list[tuple[str, float]]:
    """Return video and time of each citation that a reader sees."""
    return [(name, 60 * int(minutes) + float(rest)) for name, minutes, rest in CITED.findall(text)]


def is_right(place: tuple[str, float], truth: Iterable[Found]) -> bool:
    """Return whether a place lies in a scene that answers the question."""
    name, seconds = place
    return any(
        segment["video"] == name
        and segment["start_seconds"] - TOLERANCE_SECONDS
        <= seconds
        <= segment["end_seconds"] + TOLERANCE_SECONDS
        for segment in truth
    )


def first_is_right(answer: Found) -> bool:
    """Return whether the first citation of an answer lies in a scene that answers it."""
    found = places(answer["answer"])
    return bool(found) and is_right(found[0], answer["truth"])


def invented(answer: Found) -> int:
    """Return the number of citations that a reader sees and no moment holds."""
    return sum(not _was_given(place, answer["moments"]) for place in places(answer["answer"]))


def _was_given(place: tuple[str, float], moments: Iterable[Found]) -> bool:
    name, seconds = place
    is_in_a_video = 0 <= seconds <= SCENES_A_VIDEO * SCENE_SECONDS
    return is_in_a_video and any(
        moment["name"] == name
        and (
            moment["start_seconds"] - 0.001 <= seconds <= moment["end_seconds"] + 0.001
            or abs(moment["picture_seconds"] - seconds) <= 0.001
        )
        for moment in moments
    )


def _declined(answers: Sequence[Found], kind: str) -> dict[str, int]:
    found = [answer for answer in answers if answer["kind"] == kind]
    name = kind.replace(" ", "_")
    declined = sum(not places(answer["answer"]) for answer in found)
    return {name: len(found), f"{name}_declined": declined}
