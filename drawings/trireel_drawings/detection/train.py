# SPDX-License-Identifier: Apache-2.0
"""Trains the tiny D-FINE on drawings: first all before the decoder, then all of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from trireel_drawings.detection.dense import dense_loss, encode
from trireel_drawings.detection.model import build_detector
from trireel_drawings.detection.pictures import (
    LABELS,
    PICTURES_PER_JOB,
    Pictures,
    Truth,
    draw_pictures,
    join,
)
from trireel_drawings.runs.drawing import collected
from trireel_drawings.runs.training import cpu_seconds, shown_progress

FIRST_TRAINING_SEED = 0
DENSE_RATE = 2e-3
RATE = 1e-3
BACKBONE_SHARE = 0.3  # of the rate, because the backbone has learnt already
WEIGHT_DECAY = 1e-4
RAMP_STEPS = 100
GRADIENT_LIMIT = 1.0
AVERAGE_DECAY = 0.99  # of the weights' moving average, which is what is saved
FIRST_CYCLE_OF_RARE = 2
COMMON_SHARE = 0.3  # of the pictures: a thing that fewer show is rare
GAIN_SPREAD = 0.15  # largest change of a picture's brightness, as a share


@dataclass(frozen=True)
class Plan:
    """Length and data of a training."""

    dense_steps: int = 300
    """Updates of all before the decoder, by the dense loss."""
    cycles: tuple[int, ...] = (450, 900, 900, 1200)
    """Updates of the whole detector after that: each cycle begins with a high rate again.

    From the third cycle on, pictures of rare things come more often.
    """
    batch: int = 12
    """Pictures per update."""
    pictures: int = 3000
    """Pictures that are drawn; each is used several times."""
    threads: int = 2
    """CPU threads, and processes that draw."""
    seed: int = 0
    """Seed of the weights and the order."""


def train(plan: Plan) -> Any:
    """Draw the pictures, train on them and return the transformers.DFineForObjectDetection."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    with shown_progress() as progress:
        pictures = _draw(plan, progress)
        model = build_detector()
        batches = _Batches(pictures, plan.batch, plan.seed)
        model.train()
        _fit_features(model, batches, plan, progress)
        for cycle, steps in enumerate(plan.cycles):
            if cycle > 0:
                model, batches = go_on(model, pictures, plan, cycle)
            model = _fit(model, batches, steps, progress)
    return model.eval()


def go_on(model: Any, pictures: Pictures, plan: Plan, cycle: int) -> tuple[Any, "_Batches"]:
    """Return a cycle's model and batches, the same whether the weights were saved before it."""
    torch.manual_seed(plan.seed + cycle)
    shares = repeat_shares(pictures.truths) if cycle >= FIRST_CYCLE_OF_RARE else None
    # Saved weights have 16 bits.
    return model.half().float().train(), _Batches(pictures, plan.batch, plan.seed + cycle, shares)


def timed_train(plan: Plan) -> tuple[Any, float]:
    """Train, and return the seconds of CPU time that it took as well, with drawing."""
    before = cpu_seconds()
    return train(plan), cpu_seconds() - before


def to_pixels(frames: NDArray[np.uint8]) -> Tensor:
    """Return frames (uint8 [N, H, W, 3]) as the model takes them (float32 [N, 3, H, W])."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255


def repeat_shares(truths: Sequence[Truth]) -> NDArray[np.float64]:
    """Return how often each picture is to be taken, by its rarest thing; the sum is 1.

    The repeat factor of Gupta, Dollar and Girshick, "LVIS" (2019), section 4: a class that a share
    f of the pictures shows is repeated sqrt(COMMON_SHARE / f) times, but at least once.
    """
    shown = np.array(
        [np.bincount(truth.labels[~truth.hidden], minlength=len(LABELS)) > 0 for truth in truths]
    )
    frequency = np.maximum(shown.mean(axis=0), 1 / len(truths))
    factors = np.maximum(1.0, np.sqrt(COMMON_SHARE / frequency))
    repeats = np.maximum(1.0, (shown * factors).max(axis=1))
    return np.asarray(repeats / repeats.sum(), np.float64)


class _Batches:
    """Random batches of pictures, half of them mirrored, each with another brightness."""

    def __init__(
        self,
        pictures: Pictures,
        size: int,
        seed: int,
        shares: NDArray[np.float64] | None = None,
    ) -> None:
        self._pictures = pictures
        self._shares = shares
        self._size = size
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def take(self) -> tuple[Tensor, list[Truth]]:
        rng = self._rng
        chosen = rng.choice(len(self._pictures.frames), self._size, False, self._shares)
        frames = self._pictures.frames[chosen]
        truths = [self._pictures.truths[index] for index in chosen]
        for place in np.flatnonzero(rng.random(self._size) < 0.5):
            frames[place] = frames[place, :, ::-1]
            truths[place] = _mirrored(truths[place])
        gain = 1 + rng.uniform(-GAIN_SPREAD, GAIN_SPREAD, (self._size, 1, 1, 1))
        return (to_pixels(frames) * torch.from_numpy(gain).float()).clamp(0, 1), truths


def _fit_features(model: Any, batches: _Batches, plan: Plan, progress: Progress) -> None:
    weights = [
        weight
        for name, weight in model.model.named_parameters()
        if not name.startswith(("decoder.", "denoising_class_embed"))
    ]
    optimizer = torch.optim.AdamW(weights, DENSE_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate_at(plan.dense_steps))
    task = progress.add_task("features", total=plan.dense_steps)
    for _ in range(plan.dense_steps):
        pixels, truths = batches.take()
        loss = dense_loss(encode(model, pixels), truths)
        _update(loss, weights, optimizer, schedule)
        progress.update(task, advance=1, description=f"features, loss {loss.item():.2f}")


def _fit(model: Any, batches: _Batches, steps: int, progress: Progress) -> Any:
    names = dict(model.named_parameters())
    backbone = [weight for name, weight in names.items() if "backbone" in name]
    others = [weight for name, weight in names.items() if "backbone" not in name]
    groups: list[dict[str, Any]] = [
        {"params": backbone, "lr": RATE * BACKBONE_SHARE},
        {"params": others},
    ]
    optimizer = torch.optim.AdamW(groups, RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate_at(steps))
    average = AveragedModel(model, avg_fn=_moving_average, use_buffers=True)
    task = progress.add_task("training", total=steps)
    for _ in range(steps):
        pixels, truths = batches.take()
        loss = model(pixel_values=pixels, labels=[_target(truth) for truth in truths]).loss
        _update(loss, backbone + others, optimizer, schedule)
        average.update_parameters(model)
        progress.update(task, advance=1, description=f"training, loss {loss.item():.2f}")
    return average.module


def _moving_average(average: Tensor, weight: Tensor, _updates: Tensor | int) -> Tensor:
    if not average.is_floating_point():  # a batch norm's counter
        return weight
    return average.lerp(weight, 1 - AVERAGE_DECAY)


def _update(
    loss: Tensor,
    weights: Sequence[Tensor],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> None:
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(weights, GRADIENT_LIMIT)
    optimizer.step()
    schedule.step()


def _target(truth: Truth) -> dict[str, Tensor]:
    """Return the boxes as the model's loss takes them: middle and sides."""
    shown = ~truth.hidden
    boxes = torch.from_numpy(truth.boxes[shown])
    middle, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return {
        "class_labels": torch.from_numpy(truth.labels[shown]),
        "boxes": torch.cat([middle, sides], dim=1),
    }


def _mirrored(truth: Truth) -> Truth:
    boxes = truth.boxes[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
    return Truth(boxes + np.array([1, 0, 1, 0], np.float32), truth.labels, truth.hidden)


def _rate_at(steps: int) -> Callable[[int], float]:
    def rate(step: int) -> float:
        ramp = min(1.0, (step + 1) / RAMP_STEPS)
        return ramp * (0.5 * (1 + math.cos(math.pi * step / max(1, steps))) + 1e-2)

    return rate


def _draw(plan: Plan, progress: Progress) -> Pictures:
    pieces = draw_pictures(FIRST_TRAINING_SEED, plan.pictures, workers=plan.threads)
    return join(collected(pieces, plan.pictures, PICTURES_PER_JOB, progress))
