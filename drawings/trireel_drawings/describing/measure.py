# SPDX-License-Identifier: Apache-2.0
"""Held-out questions, and how many of them a model answers as the truth is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_drawings.describing.pictures import BALLOON, Facts, draw_scenes
from trireel_drawings.describing.questions import Kind, Question, ask, kinds_for
from trireel_drawings.painting.dice import Dice
from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED

BATCH = 16
MAX_TOKENS = 32
GOALS: dict[Kind, float] = {
    Kind.PLACE: 0.98,
    Kind.DESCRIBE: 0.9,
    Kind.COUNT: 0.9,
    Kind.YES_NO: 0.97,
}
"""Smallest share of right answers that the bundled checkpoint must reach."""

Pictures = NDArray[np.uint8]
Answer = Callable[[Sequence[tuple[Pictures, str]]], Sequence[str]]
"""Answers questions, each about pictures [n, H, W, 3]."""


@dataclass(frozen=True)
class HeldOut:
    """A question about pictures that the training never saw."""

    pictures: Pictures
    """[n, H, W, 3] RGB."""
    question: Question
    """The question and its true answer."""


def held_out(scenes: int) -> list[HeldOut]:
    """Return questions about held-out scenes: one of each kind that a picture can answer.

    They are about places, people and what happens; `about_balloons` returns the others.

    Args:
        scenes: number of scenes, of every pair of place and activity in turn.
    """
    numbers = range(scenes)
    shots = draw_scenes([(HELD_OUT_SEED + i, i % len(PAIRS)) for i in numbers], is_plain=True)
    questions = []
    for number, (frames, facts) in enumerate(zip(shots.frames, shots.facts, strict=True)):
        for kind in kinds_for(facts[:1]):
            if kind is not Kind.COLOUR:
                question = _asked(kind, facts[:1], number, lambda text: BALLOON not in text)
                questions.append(HeldOut(frames[:1], question))
        other = (number + 1) % scenes if number % 2 else number
        pair = (facts[0], shots.facts[other][1])
        if _is_clear(pair):
            both = np.stack([frames[0], shots.frames[other][1]])
            question = _asked(Kind.CHANGE, pair, number, lambda _: True)
            questions.append(HeldOut(both, question))
    return questions


def about_balloons(scenes: int) -> list[HeldOut]:
    """Return how many balloons there are and which colour they have, in held-out scenes."""
    shots = draw_scenes([(HELD_OUT_SEED + i, i % len(PAIRS)) for i in range(scenes)])
    questions = []
    for number, (frames, facts) in enumerate(zip(shots.frames, shots.facts, strict=True)):
        if facts[0].is_countable and facts[0].balloons:
            for kind in (Kind.COUNT, Kind.COLOUR):
                question = _asked(kind, facts[:1], number, lambda text: BALLOON in text)
                questions.append(HeldOut(frames[:1], question))
    return questions


def _asked(
    kind: Kind, facts: Sequence[Facts], number: int, is_wanted: Callable[[str], bool]
) -> Question:
    """Return the first of a scene's questions of a kind that is wanted."""
    questions = (ask(kind, facts, Dice(HELD_OUT_SEED + number, attempt)) for attempt in count())
    return next(question for question in questions if is_wanted(question.text))


def _is_clear(pair: tuple[Facts, Facts]) -> bool:
    """Return whether the two pictures differ in their place, or in nothing that is asked."""
    same_tag = PAIRS[pair[0].pair][0] == PAIRS[pair[1].pair][0]
    return pair[0].pair == pair[1].pair or not same_tag


def shares(questions: Sequence[HeldOut], answer: Answer) -> dict[Kind, float]:
    """Return the share of right answers of each kind."""
    right: dict[Kind, list[bool]] = {}
    for begin in range(0, len(questions), BATCH):
        part = questions[begin : begin + BATCH]
        answers = answer([(each.pictures, each.question.text) for each in part])
        for each, text in zip(part, answers, strict=True):
            right.setdefault(each.question.kind, []).append(text == each.question.answer)
    return {kind: float(np.mean(right[kind])) for kind in Kind if kind in right}


def answer_with(model: Any, processor: Any) -> Answer:
    """Return a function that answers with a loaded model."""
    import torch

    def answer(questions: Sequence[tuple[Pictures, str]]) -> list[str]:
        prompts = [
            processor.apply_chat_template([_message(len(pictures), text)])
            for pictures, text in questions
        ]
        inputs = processor(
            text=prompts,
            images=[list(pictures) for pictures, _ in questions],
            padding=True,
            return_tensors="pt",
        )
        inputs.pop("labels", None)
        with torch.inference_mode():
            tokens = model.generate(**inputs, max_new_tokens=MAX_TOKENS, do_sample=False)
        answers = tokens[:, inputs["input_ids"].shape[1] :]
        texts = processor.tokenizer.batch_decode(answers, skip_special_tokens=True)
        return [text.strip() for text in texts]

    return answer


def _message(images: int, text: str) -> dict[str, Any]:
    content = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": text}]
    return {"role": "user", "content": content}
