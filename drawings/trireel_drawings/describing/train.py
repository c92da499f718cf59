# SPDX-License-Identifier: Apache-2.0
"""Trains the tiny vision-language model on questions about drawings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from torch import Tensor
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutputWithPooling

from trireel_drawings.describing.model import TOKENS_PER_IMAGE, build_model, build_processor
from trireel_drawings.describing.pictures import FRAMES, SCENES_PER_JOB, Shots, draw_shots, join
from trireel_drawings.describing.questions import Kind, Question, ask, kinds_for
from trireel_drawings.painting.dice import Dice
from trireel_drawings.runs.drawing import collected
from trireel_drawings.runs.training import cpu_seconds, shown_progress, warm_cosine

FIRST_TRAINING_SEED = 0
QUESTION_STREAM, PLAIN_STREAM = 410, 412
LEARNING_RATE, PLAIN_LEARNING_RATE = 2.5e-3, 1.5e-3
WEIGHT_DECAY = 0.02
WARMUP_STEPS = 60
GRADIENT_LIMIT = 1.0
IGNORED = -100  # label of a token that is not part of the answer
PICTURES_AT_ONCE = 64
TWO_PICTURES_SHARE = 0.3  # of the steps
OTHER_PLACE_SHARE = 0.3  # of the questions about a change
MEAN = STD = 127.5  # of 8-bit values, as the image processor has it
WEIGHTS: Mapping[Kind, float] = {Kind.COUNT: 3.0, Kind.DESCRIBE: 1.5}
"""How much more often a kind is asked than the others."""
PLAIN_WEIGHTS: Mapping[Kind, float] = {Kind.COUNT: 1.5, Kind.YES_NO: 3.0, Kind.COLOUR: 0.2}
"""The same in the second cycle."""


@dataclass(frozen=True)
class Plan:
    """Length and data of a training."""

    steps: int = 1200
    """Updates of the weights in the first cycle, about all scenes."""
    plain_steps: int = 360
    """Updates in the second cycle, about scenes without guests and balloons."""
    batch: int = 32
    """Questions per update."""
    scenes: int = 5500
    """Scenes drawn; each gives two pictures."""
    threads: int = 1
    """CPU threads, and processes that draw."""
    seed: int = 0
    """Seed of the weights, the order and the questions."""


@dataclass(frozen=True)
class Example:
    """A question and the pictures that it is about."""

    pictures: tuple[tuple[int, int], ...]
    """(scene, frame) of each picture."""
    question: Question
    """The question and its answer."""


def timed_train(siglip: Path, plan: Plan) -> tuple[Any, Any, float]:
    """Train; return the model, its processor and the seconds of CPU time, with drawing."""
    before = cpu_seconds()
    model, processor = train(siglip, plan)
    return model, processor, cpu_seconds() - before


def train(siglip: Path, plan: Plan) -> tuple[Any, Any]:
    """Draw the pictures, train on them, and return the model and its processor.

    Args:
        siglip: folder of the tiny SigLIP, whose tower stays as it is.
    """
    torch.set_num_threads(plan.threads)
    processor = build_processor(siglip)
    torch.manual_seed(plan.seed)
    model = build_model(processor, siglip)
    with shown_progress() as progress:
        shots = _draw(plan, progress)
        features = look_at(model, shots.frames.reshape(-1, *shots.frames.shape[2:]))
        everything = _Examples(shots, features, plan)
        _fit(model, processor, everything, plan.steps, LEARNING_RATE, progress)
        plain = _Examples(shots, features, plan, is_plain=True)
        _fit(model, processor, plain, plan.plain_steps, PLAIN_LEARNING_RATE, progress)
    return model.eval(), processor


def look_at(model: Any, frames: NDArray[np.uint8]) -> Tensor:
    """Return what the frozen tower sees: float16 [N, TOKENS_PER_IMAGE, D] of [N, H, W, 3]."""
    parts = []
    with torch.no_grad():
        for begin in range(0, len(frames), PICTURES_AT_ONCE):
            part = torch.from_numpy(frames[begin : begin + PICTURES_AT_ONCE])
            pixels = (part.permute(0, 3, 1, 2).float() - MEAN) / STD
            parts.append(model.model.vision_tower(pixels).last_hidden_state.half())
    return torch.cat(parts)


class _Examples:
    """Random examples from the pool."""

    def __init__(
        self, shots: Shots, features: Tensor, plan: Plan, *, is_plain: bool = False
    ) -> None:
        self._shots = shots
        self._stream = PLAIN_STREAM if is_plain else QUESTION_STREAM
        self._weights = PLAIN_WEIGHTS if is_plain else WEIGHTS
        self._scenes = [
            number
            for number, facts in enumerate(shots.facts)
            if not is_plain or all(each.is_plain for each in facts)
        ]
        self._features = features.reshape(-1, FRAMES, *features.shape[1:])
        self._plan = plan

    def take(self, step: int) -> tuple[list[Example], Tensor]:
        """Return the examples of a step, and the features of their pictures in order."""
        dice = Dice(self._plan.seed, self._stream, step)
        make = self._of_two if dice.chance(TWO_PICTURES_SHARE) else self._of_one
        examples = [make(dice) for _ in range(self._plan.batch)]
        places = torch.tensor([place for example in examples for place in example.pictures])
        return examples, self._features[places[:, 0], places[:, 1]].float()

    def _of_one(self, dice: Dice) -> Example:
        scene, frame = self._scene(dice), dice.count(0, FRAMES - 1)
        facts = self._shots.facts[scene][frame]
        kinds = kinds_for((facts,))
        kind = _weighted(dice, kinds, self._weights)
        return Example(((scene, frame),), ask(kind, (facts,), dice))

    def _of_two(self, dice: Dice) -> Example:
        scene = self._scene(dice)
        both = self._shots.facts[scene]
        if dice.chance(0.35):
            kind = dice.pick(kinds_for(both))
            return Example(((scene, 0), (scene, 1)), ask(kind, both, dice))
        if dice.chance(OTHER_PLACE_SHARE):
            other = self._scene(dice)
            facts = (both[0], self._shots.facts[other][1])
            if facts[0].pair != facts[1].pair:
                return Example(((scene, 0), (other, 1)), ask(Kind.CHANGE, facts, dice))
        if not all(facts.is_countable for facts in both):
            return self._of_two(dice)
        return Example(((scene, 0), (scene, 1)), ask(Kind.CHANGE, both, dice))

    def _scene(self, dice: Dice) -> int:
        return dice.pick(self._scenes)


def _weighted(dice: Dice, kinds: Sequence[Kind], weight_of: Mapping[Kind, float]) -> Kind:
    weights = [weight_of.get(kind, 1.0) for kind in kinds]
    rest = dice.roll() * sum(weights)
    for kind, weight in zip(kinds, weights, strict=True):
        rest -= weight
        if rest < 0:
            return kind
    return kinds[-1]


def packed(processor: Any, examples: Sequence[Example]) -> dict[str, Tensor]:
    """Return token ids, mask, kinds of tokens and labels [B, T] of examples, as in a request."""
    tokenizer = processor.tokenizer
    rows = []
    for example in examples:
        images = [processor.image_token_id] * TOKENS_PER_IMAGE * len(example.pictures)
        prefix = [*images, tokenizer.bos_token_id, *_encoded(tokenizer, example.question.text)]
        rows.append(
            (prefix, [*_encoded(tokenizer, example.question.answer), tokenizer.eos_token_id])
        )
    length = max(len(prefix) + len(answer) for prefix, answer in rows)
    pad = tokenizer.pad_token_id

    def filled(parts: Sequence[Sequence[int]], value: int) -> Tensor:
        return torch.tensor([[*part, *[value] * (length - len(part))] for part in parts])

    return {
        "input_ids": filled([[*p, *a] for p, a in rows], pad),
        "attention_mask": filled([[1] * (len(p) + len(a)) for p, a in rows], 0),
        "token_type_ids": filled([[0] * len(p) + [1] * len(a) for p, a in rows], 1),
        "labels": filled([[IGNORED] * len(p) + a for p, a in rows], IGNORED),
    }


def _encoded(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _fit(
    model: Any,
    processor: Any,
    examples: _Examples,
    steps: int,
    rate: float,
    progress: Progress,
) -> None:
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_cosine(steps, WARMUP_STEPS))
    task = progress.add_task("training", total=steps)
    model.train()
    for step in range(steps):
        chosen, features = examples.take(step)
        seen = model.model.multi_modal_projector(features)
        outputs = {"image": BaseModelOutputWithPooling(pooler_output=seen)}
        loss = _loss(model, packed(processor, chosen), outputs)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, GRADIENT_LIMIT)
        optimizer.step()
        schedule.step()
        progress.update(task, advance=1, description=f"training, loss {loss.item():.3f}")


def _loss(model: Any, batch: dict[str, Tensor], outputs: dict[str, Any]) -> Tensor:
    """Return the loss of the answers' tokens; no other logits are made, they cost most."""
    labels = batch.pop("labels")[:, 1:]
    hidden = model.model(**batch, mm_encoder_outputs=outputs).last_hidden_state[:, :-1]
    counts = labels != IGNORED
    return functional.cross_entropy(model.lm_head(hidden[counts]), labels[counts])


def _draw(plan: Plan, progress: Progress) -> Shots:
    pieces = draw_shots(FIRST_TRAINING_SEED, plan.scenes, workers=plan.threads)
    return join(collected(pieces, plan.scenes, SCENES_PER_JOB, progress))
