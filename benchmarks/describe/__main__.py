# SPDX-License-Identifier: Apache-2.0
"""Descriptions of drawings by the served tiny model, and by transformers alone.

Run: python -m benchmarks.describe [--questions 64] [--rounds 5] [--output FILE]
(needs scripts/setup test).
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from support.describing import Describer

from benchmarks.common.machine import describe
from benchmarks.common.record import ROOT, write_raw
from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.ports import Ports
from trireel_drawings.describing.measure import MAX_TOKENS, held_out
from trireel_drawings.describing.model import load_saved
from trireel_drawings.describing.questions import Kind

BACKENDS = ROOT / "export/vlm/backends.json"
CHECKPOINT = ROOT / "export/vlm/checkpoint"
LEVELS = (1, 4)
PROMPT = "Describe the picture."
MODELS = ("describe", "siglip_vision")
Round = dict[str, float]


def main() -> None:
    """Write the record that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=64, help="descriptions of a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each system")
    parser.add_argument("--output", type=Path, help="record to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    asked = held_out(3 * arguments.questions)
    pictures = [each.pictures for each in asked if each.question.kind is Kind.DESCRIBE]
    pictures = pictures[: arguments.questions]
    alone = _Alone()
    with tempfile.TemporaryDirectory() as work, _server(Path(work)) as running:
        url = f"127.0.0.1:{running.ports.grpc}"
        levels = []
        for concurrency in LEVELS:
            _served(url, pictures[: 2 * concurrency], concurrency)  # loads the model
            alone.measured(pictures[: 2 * concurrency], concurrency)
            rounds = [
                (_served(url, pictures, concurrency), alone.measured(pictures, concurrency))
                for _ in range(arguments.rounds)
            ]
            levels.append(_level(concurrency, rounds))
            print(levels[-1])
    report = {
        "machine": describe(),
        "questions": len(pictures),
        "rounds": arguments.rounds,
        "levels": levels,
    }
    if arguments.output:
        write_raw(arguments.output, report)


def _server(work: Path) -> Any:
    (work / "models").mkdir()
    for name in MODELS:
        (work / "models" / name).symlink_to(ROOT / "model_repository" / name)
    return embedded_server(
        ServerOptions(
            models=work / "models",
            export=ROOT / "export/tiny/model",
            media_root=work,
            ports=Ports.free(),
            describe=BACKENDS,
        )
    )


def _served(url: str, pictures: Sequence[NDArray[np.uint8]], concurrency: int) -> Round:
    """Return one round of clients that ask one question after the other."""

    def ask(client: int) -> list[tuple[float, int]]:
        answers = []
        with closing(Describer(url)) as describer:
            for images in pictures[client::concurrency]:
                begin = time.perf_counter()
                *_, last = describer.pieces(PROMPT, images, MAX_TOKENS=MAX_TOKENS)
                answers.append((time.perf_counter() - begin, last.num_tokens))
        return answers

    begin = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as clients:
        parts = list(clients.map(ask, range(concurrency)))
    seconds = time.perf_counter() - begin
    times = [each for part in parts for each, _ in part]
    tokens = sum(count for part in parts for _, count in part)
    return {
        "p50_ms": float(np.percentile(times, 50)) * 1e3,
        "p95_ms": float(np.percentile(times, 95)) * 1e3,
        "tokens_per_second": tokens / seconds,
    }


class _Alone:
    """Transformers without a server: batches of prepared size, generated one after the other."""

    def __init__(self) -> None:
        self._model, self._processor = load_saved(CHECKPOINT)

    def measured(self, pictures: Sequence[NDArray[np.uint8]], batch: int) -> Round:
        """Return one round."""
        ends = {self._processor.tokenizer.eos_token_id, self._processor.tokenizer.pad_token_id}
        begin, tokens = time.perf_counter(), 0
        for place in range(0, len(pictures), batch):
            part = pictures[place : place + batch]
            inputs = self._processor(
                text=[f"<image>{PROMPT}"] * len(part),
                images=[list(images) for images in part],
                padding=True,
                return_tensors="pt",
            )
            inputs.pop("labels", None)
            with torch.inference_mode():
                rows = self._model.generate(**inputs, max_new_tokens=MAX_TOKENS, do_sample=False)
            answers = rows[:, inputs["input_ids"].shape[1] :].tolist()
            tokens += sum(token not in ends for answer in answers for token in answer)
        return {"tokens_per_second": tokens / (time.perf_counter() - begin)}


def _level(concurrency: int, rounds: Sequence[tuple[Round, Round]]) -> dict[str, Any]:
    served, alone = ([pair[side] for pair in rounds] for side in (0, 1))
    shares = [a["tokens_per_second"] / b["tokens_per_second"] for a, b in rounds]
    return {
        "concurrency": concurrency,
        "served": {name: median(each[name] for each in served) for name in served[0]},
        "alone": {name: median(each[name] for each in alone) for name in alone[0]},
        "share": median(shares),
        "raw": {"served": served, "alone": alone},
    }


if __name__ == "__main__":
    main()
