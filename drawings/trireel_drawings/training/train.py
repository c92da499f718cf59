# SPDX-License-Identifier: Apache-2.0
"""Trains the tiny checkpoint on drawings, and writes it as a Hugging Face folder."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, SiglipModel

from trireel_drawings.painting.dice import Dice
from trireel_drawings.places.register import PAIRS
from trireel_drawings.places.vocabulary import DESCRIPTIONS, TAGS
from trireel_drawings.runs.drawing import collected
from trireel_drawings.runs.training import shown_progress, warm_cosine
from trireel_drawings.training.captions import (
    TEXT_LENGTH,
    build_tokenizer,
    description_caption,
    pair_caption,
    tag_caption,
)
from trireel_drawings.training.dataset import SCENES_PER_JOB, Pool, draw_pool, join
from trireel_drawings.training.model import build_model, save_checkpoint

FIRST_TRAINING_SEED = 0
CAPTION_STREAM = 300
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.05
WARMUP_STEPS = 100
GRADIENT_LIMIT = 1.0
START_SCALE = 10.0
START_BIAS = -5.0
PAIR_CAPTIONS = 8  # sentences with both activity and place, per step
STEADY_WEIGHT = 5.0  # weight of the pull between two frames of a scene
JUMP_WEIGHT = 50.0  # weight of the stronger pull beyond JUMP_DISTANCE
JUMP_DISTANCE = 0.05  # one minus the cosine
APART_WEIGHT = 40.0  # weight of the push between frames of different places
APART_COSINE = 0.3  # frames of different places are pushed below it
SHIFT_PX = 3  # largest move of a picture
GAIN_SPREAD = 0.12  # largest change of its brightness, as a share
MEAN = STD = 127.5  # of 8-bit values, as the image processor has it

TAG_OF_PAIR = torch.tensor([TAGS.index(tag) for tag, _ in PAIRS])
DESCRIPTION_OF_PAIR = torch.tensor([DESCRIPTIONS.index(words) for _, words in PAIRS])


@dataclass(frozen=True)
class Plan:
    """Length and data of a training."""

    steps: int = 2000
    """Updates of the weights."""
    batch_scenes: int = 48
    """Scenes per update; each gives two frames."""
    scenes_per_pair: int = 320
    """Scenes drawn of each pair of place and activity."""
    threads: int = 2
    """CPU threads, and processes that draw."""
    seed: int = 0
    """Seed of the weights, the order and the captions."""


def train(folder: Path, plan: Plan) -> SiglipModel:
    """Draw the pictures, train on them and write the checkpoint."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    with shown_progress() as progress:
        pool = _draw(plan, progress)
        tokenizer = build_tokenizer()
        model = build_model(tokenizer)
        _set_temperature(model)
        _fit(model, tokenizer, pool, plan, progress)
    model.eval()
    save_checkpoint(model, tokenizer, folder)
    return model


def to_pixels(frames: NDArray[np.uint8]) -> Tensor:
    """Return frames (uint8 [N, H, W, 3]) as the model takes them (float32 [N, 3, H, W])."""
    return (torch.from_numpy(frames).permute(0, 3, 1, 2).float() - MEAN) / STD


def unit(vectors: Tensor) -> Tensor:
    """Return the vectors [N, D] with length 1."""
    return functional.normalize(vectors, dim=-1)


def encode_images(model: SiglipModel, pixels: Tensor) -> Tensor:
    """Return unit vectors [N, D] of pictures [N, 3, H, W]."""
    return unit(model.vision_model(pixel_values=pixels).pooler_output)


def encode_texts(
    model: SiglipModel, tokenizer: PreTrainedTokenizerFast, texts: list[str]
) -> Tensor:
    """Return unit vectors [N, D] of texts, padded to TEXT_LENGTH."""
    tokens = tokenizer(
        texts, padding="max_length", max_length=TEXT_LENGTH, truncation=True, return_tensors="pt"
    )
    return unit(model.text_model(input_ids=tokens["input_ids"]).pooler_output)


def _draw(plan: Plan, progress: Progress) -> Pool:
    pieces = draw_pool(FIRST_TRAINING_SEED, plan.scenes_per_pair, workers=plan.threads)
    total = plan.scenes_per_pair * len(PAIRS)
    return join(collected(pieces, total, SCENES_PER_JOB, progress))


def _set_temperature(model: SiglipModel) -> None:
    with torch.no_grad():
        model.logit_scale.fill_(math.log(START_SCALE))
        model.logit_bias.fill_(START_BIAS)


def _fit(
    model: SiglipModel,
    tokenizer: PreTrainedTokenizerFast,
    pool: Pool,
    plan: Plan,
    progress: Progress,
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_cosine(plan.steps, WARMUP_STEPS))
    order = np.random.Generator(np.random.PCG64(plan.seed))
    task = progress.add_task("training", total=plan.steps)
    model.train()
    for step in range(plan.steps):
        chosen = order.choice(len(pool.pairs), plan.batch_scenes, replace=False)
        pairs = torch.from_numpy(pool.pairs[chosen])
        pixels = _augment(to_pixels(pool.frames[chosen].reshape(-1, *pool.frames.shape[2:])))
        texts, matches = _captions(Dice(plan.seed, CAPTION_STREAM, step), pairs)
        loss = _loss(
            model,
            encode_images(model, pixels),
            encode_texts(model, tokenizer, texts),
            pairs,
            matches,
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_LIMIT)
        optimizer.step()
        schedule.step()
        progress.update(task, advance=1, description=f"training, loss {loss.item():.3f}")


def _augment(pixels: Tensor) -> Tensor:
    """Return the pictures, each moved a little and with another brightness."""
    down, right = (int(torch.randint(-SHIFT_PX, SHIFT_PX + 1, ())) for _ in range(2))
    size = pixels.shape[-1]
    padded = functional.pad(pixels, (SHIFT_PX,) * 4, mode="replicate")
    top, left = SHIFT_PX + down, SHIFT_PX + right
    moved = padded[:, :, top : top + size, left : left + size]
    gain = 1 + (torch.rand(len(pixels), 1, 1, 1) * 2 - 1) * GAIN_SPREAD
    return ((moved + 1) * gain - 1).clamp(-1, 1)


def _captions(dice: Dice, pairs: Tensor) -> tuple[list[str], Tensor]:
    """Return the captions of a step, and which of them match which scene (bool [B, C])."""
    texts = [tag_caption(dice, tag) for tag in TAGS]
    texts += [description_caption(dice, description) for description in DESCRIPTIONS]
    captioned = torch.tensor([dice.pick(range(len(PAIRS))) for _ in range(PAIR_CAPTIONS)])
    texts += [pair_caption(dice, *PAIRS[index]) for index in captioned.tolist()]
    matches = torch.cat(
        (
            TAG_OF_PAIR[pairs][:, None] == torch.arange(len(TAGS)),
            DESCRIPTION_OF_PAIR[pairs][:, None] == torch.arange(len(DESCRIPTIONS)),
            pairs[:, None] == captioned,
        ),
        dim=1,
    )
    return texts, matches


def _loss(
    model: SiglipModel, images: Tensor, texts: Tensor, pairs: Tensor, matches: Tensor
) -> Tensor:
    """Return SigLIP's loss plus the two that keep scenes together and places apart."""
    logits = images @ texts.T * model.logit_scale.exp() + model.logit_bias
    signs = matches.repeat_interleave(2, dim=0).float() * 2 - 1
    sigmoid = -functional.logsigmoid(signs * logits).sum(dim=1).mean()
    first, second = images[0::2], images[1::2]
    drift = 1 - (first * second).sum(dim=1)
    jump = functional.relu(drift - JUMP_DISTANCE).square().mean()
    tags = TAG_OF_PAIR[pairs]
    too_close = functional.relu(first @ second.T - APART_COSINE)[tags[:, None] != tags]
    return (
        sigmoid
        + STEADY_WEIGHT * drift.mean()
        + JUMP_WEIGHT * jump
        + APART_WEIGHT * too_close.square().mean()
    )


def timed_train(folder: Path, plan: Plan) -> tuple[SiglipModel, float]:
    """Train, and return the seconds that it took as well."""
    start = time.perf_counter()
    return train(folder, plan), time.perf_counter() - start
