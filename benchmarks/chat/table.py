# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from benchmarks.chat.score import ANSWERABLE, first_is_right, is_right, places
from benchmarks.common.pages import bullets, document, packages, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.chat"
THRESHOLDS = (0.5, 0.6, 0.7, 0.8)  # moments below the first are not recorded


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine, ways = report["machine"], report["ways"]
    return document(
        "# Chat: which moments answers cite",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, {packages(machine)}, commit"
            f" {machine['commit']}. {report['videos']} drawn videos of {report['scenes']} scenes"
            " that the bundled checkpoint was not trained on; 40 questions that can be answered, 10"
            " about places and activities that these videos do not show. The machine did other work"
            " at the same time."
        ),
        table(
            "models | answered | first citation right | all citations right | absent: declined |"
            " invented, shown | wrong ones taken out | written by a model | p50, ms | p95, ms",
            (_row(name, way["totals"]) for name, way in ways.items()),
        ),
        bullets(
            (
                "`search`: no model. `tiny`: the bundled model looks at pictures. `forger`: a text"
                " model that invents as many citations as it copies, with links and markup."
                " `random`: a text model of random weights behind `transformers serve`; an answer"
                " of it that cites nothing is replaced by what the search found.",
                "A citation is right if its time lies in a scene that answers the question. It is"
                " invented if no moment that was found holds it.",
                _never_drawn(ways),
            )
        ),
        "## The threshold",
        paragraph(
            "A moment needs a probability of 0.5, or all of the question's words in what was"
            " observed there. With other thresholds, `search` would answer so, by its moments:"
        ),
        table(
            "probability | answerable: a right moment is left | absent: all moments are gone",
            _thresholds(ways["search"]["answers"]),
        ),
        "## What went wrong in `search`",
        bullets(_wrong(ways["search"]["answers"])),
    )


def _row(name: str, found: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        f"`{name}`",
        f"{found['answered']} of {found['answerable']}",
        f"{found['first_right']} of {found['answerable']}",
        f"{found['citations_right']} of {found['citations']}",
        f"{found['absent_declined']} of {found['absent']}",
        found["invented"],
        found["removed"],
        found["by_model"],
        f"{found['p50_ms']:.0f}",
        f"{found['p95_ms']:.0f}",
    )


def _never_drawn(ways: Mapping[str, Any]) -> str:
    found = ways["search"]["totals"]
    return (
        f"Of {found['never_drawn']} further questions about things that are never drawn,"
        f" {found['never_drawn_declined']} are declined: the bundled checkpoint has never seen"
        " their words, and gives some of them a high probability by chance."
    )


def _thresholds(answers: list[Mapping[str, Any]]) -> Iterator[tuple[object, ...]]:
    """Yield what would be left at each threshold."""
    known = [answer for answer in answers if answer["kind"] in ANSWERABLE]
    absent = [answer for answer in answers if answer["kind"] == "absent"]
    for least in THRESHOLDS:
        kept = sum(
            any(
                (moment["probability"] or 0) >= least
                and is_right((moment["name"], moment["start_seconds"] + 0.1), answer["truth"])
                for moment in answer["moments"]
            )
            for answer in known
        )
        gone = sum(
            all((moment["probability"] or 0) < least for moment in answer["moments"])
            for answer in absent
        )
        yield f"{least:.1f}", f"{kept} of {len(known)}", f"{gone} of {len(absent)}"


def _wrong(answers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each question with citations elsewhere than in a scene that answers it."""
    for answer in answers:
        elsewhere = [
            f"{name} {seconds:.2f} s"
            for name, seconds in places(answer["answer"])
            if not is_right((name, seconds), answer["truth"])
        ]
        if answer["kind"] in ANSWERABLE and not places(answer["answer"]):
            yield f"“{answer['question']}” is declined"
        elif elsewhere:
            kind = "also cites" if first_is_right(answer) else f"({answer['kind']}) cites"
            yield f"“{answer['question']}” {kind} {', '.join(elsewhere)}"
