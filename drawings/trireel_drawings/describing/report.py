# SPDX-License-Identifier: Apache-2.0
"""The model card of the tiny vision-language model."""

from collections.abc import Mapping
from pathlib import Path

from trireel_drawings.describing.measure import GOALS
from trireel_drawings.describing.pictures import COLOURS
from trireel_drawings.describing.questions import COUNT_WORDS, WORDS, Kind
from trireel_drawings.describing.train import Plan

CARD = """\
---
license: apache-2.0
pipeline_tag: image-text-to-text
---

# A tiny vision-language model that knows drawings only

A PaliGemma (`PaliGemmaForConditionalGeneration`) of 1.8 million weights for Trireel's demo and
tests: the frozen tower of the tiny SigLIP, and a Gemma of 3 layers, 0.8 million weights. It was
trained on scenes that `trireel_drawings` paints, and on nothing else: **about real pictures it
says nothing true**. For those, use a published model (docs/describe.md).

- One or two pictures of 96 x 96 pixels and one question; it does not chat.
- Answers are in lower case and without punctuation.
- Training: {steps} updates with {batch} questions each, about {pictures} drawings, then
  {plain_steps} about those without guests and balloons; seed {seed}. It took {minutes:.0f} minutes
  of CPU time, drawing included, on {threads} thread(s).

| question | share of right answers, held-out drawings | goal |
|---|---|---|
{rows}

Counting means people. **It hardly sees balloons, and so tells no colours**, because the frozen
tower was never trained to tell them: of questions about the number and the colour of balloons that
are there, it answers {balloons:.0%} as the truth is.

It was trained with these words:

{words}

Balloons are {colours}. A count is `none` to `four`, or
`many`. A change is that the place changed, a balloon appeared or disappeared, or nothing changed.

Made again with `python -m trireel_drawings train-describer --output FOLDER`.
"""


def write_card(
    folder: Path, plan: Plan, shares: Mapping[Kind, float], balloons: float, minutes: float
) -> None:
    """Write README.md beside the weights.

    Args:
        shares: share of right answers of each kind.
        balloons: share of right answers about balloons that are there.
        minutes: CPU time of the training.
    """
    rows = (f"| {kind} | {share:.3f} | {GOALS.get(kind, '')} |" for kind, share in shares.items())
    words = [text for texts in WORDS.values() for text in texts]
    words += ["Is this a kitchen?", "Is there a person?", "Is there a red balloon?"]
    words += [COUNT_WORDS[0].format("people"), COUNT_WORDS[0].format("balloons")]
    text = CARD.format(
        steps=plan.steps,
        plain_steps=plan.plain_steps,
        batch=plan.batch,
        pictures=2 * plan.scenes,
        seed=plan.seed,
        minutes=minutes,
        threads=plan.threads,
        rows="\n".join(rows),
        balloons=balloons,
        words="\n".join(f"- {each}" for each in words),
        colours=", ".join(COLOURS),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
