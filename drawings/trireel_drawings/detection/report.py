# SPDX-License-Identifier: Apache-2.0
"""The model card of the tiny detector."""

from pathlib import Path

from trireel_drawings.detection.measure import Measured
from trireel_drawings.detection.pictures import HEIGHT_PX, LABELS, WIDTH_PX
from trireel_drawings.detection.train import Plan

CARD = """\
---
license: apache-2.0
pipeline_tag: object-detection
---

# A tiny detector that knows drawings only

A D-FINE (`DFineForObjectDetection`) of 1.1 million weights for Trireel's demo and tests. It was
trained on scenes that `trireel_drawings` paints, and on nothing else: **in real videos it finds
nothing useful**. For those, export a published checkpoint (docs/detector.md).

- Input: {width} x {height} pixels, RGB, squashed, divided by 255.
- Things: {labels}.
- Training: {dense_steps} updates of all before the decoder by a dense loss, then {cycles} of
  the whole detector by its own loss, {batch} pictures each, of {pictures} drawings; seed {seed}.
  It took {minutes:.0f} minutes of CPU time, drawing included, on {threads} threads.
- Accuracy: AP50 {mean:.3f} on {held_out} drawings with seeds that the training never uses. A thing
  of which less than a fifth is visible counts neither as found nor as missed.

| thing | AP50 |
|---|---|
{rows}

Made again with `python -m trireel_drawings train-detector --output FOLDER`. Weights are stored in
fp16 and computed in fp32.
"""


def write_card(folder: Path, plan: Plan, measured: Measured, minutes: float) -> None:
    """Write README.md beside the weights.

    Args:
        minutes: CPU time of the training.
    """
    rows = "\n".join(f"| {label} | {ap:.3f} |" for label, ap in measured.ap50.items())
    text = CARD.format(
        width=WIDTH_PX,
        height=HEIGHT_PX,
        labels=", ".join(LABELS),
        dense_steps=plan.dense_steps,
        cycles=", then ".join(map(str, plan.cycles)),
        batch=plan.batch,
        pictures=plan.pictures,
        seed=plan.seed,
        minutes=minutes,
        threads=plan.threads,
        mean=measured.mean,
        held_out=measured.pictures,
        rows=rows,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
