# SPDX-License-Identifier: Apache-2.0
"""The commands of the drawn world."""

from pathlib import Path
from statistics import mean
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(help="Draw scenes, and train the tiny checkpoint on them.", no_args_is_help=True)
console = Console(stderr=True)

SECONDS_PER_MINUTE = 60
HELD_OUT_SCENES = 440


@app.command()
def train(
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    steps: Annotated[int, typer.Option(min=1, help="Updates of the weights.")] = 2000,
    scenes_per_pair: Annotated[int, typer.Option(min=2, help="Scenes to draw of each kind.")] = 320,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order and captions.")] = 0,
) -> None:
    """Train the tiny checkpoint, measure it and write its model card."""
    from trireel_drawings.training.captions import build_tokenizer
    from trireel_drawings.training.report import measure, write_card
    from trireel_drawings.training.train import Plan, timed_train

    plan = Plan(steps=steps, scenes_per_pair=scenes_per_pair, threads=threads, seed=seed)
    model, seconds = timed_train(output, plan)
    with console.status("measuring on held-out scenes"):
        report = measure(model, build_tokenizer())
    write_card(output, report, seconds / SECONDS_PER_MINUTE)
    console.print(report)


@app.command()
def train_detector(
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    dense_steps: Annotated[
        int, typer.Option(min=0, help="Updates of all before the decoder, at the start.")
    ] = 300,
    cycle: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Updates of the whole detector in a cycle, by default 450, 900."),
    ] = None,
    pictures: Annotated[int, typer.Option(min=100, help="Pictures to draw.")] = 3000,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and order.")] = 0,
) -> None:
    """Train the tiny detector, measure it and write its model card."""
    import os
    from dataclasses import replace

    # Threads that wait for each other must not spin: other processes need the CPUs too.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from trireel_drawings.detection.measure import detect_with, held_out, measure
    from trireel_drawings.detection.model import save_detector
    from trireel_drawings.detection.report import write_card
    from trireel_drawings.detection.train import Plan, timed_train

    plan = Plan(dense_steps, pictures=pictures, threads=threads, seed=seed)
    if cycle:
        plan = replace(plan, cycles=tuple(cycle))
    model, seconds = timed_train(plan)
    save_detector(model, output)
    with console.status("measuring on held-out drawings"):
        measured = measure(detect_with(output), held_out())
    write_card(output, plan, measured, seconds / SECONDS_PER_MINUTE)
    console.print(measured)


@app.command()
def train_describer(
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    siglip: Annotated[
        Path, typer.Option(help="Folder of the tiny SigLIP, whose tower is used as it is.")
    ] = Path("export/tiny/checkpoint"),
    steps: Annotated[int, typer.Option(min=1, help="Updates of the weights.")] = 1200,
    plain_steps: Annotated[int, typer.Option(min=1, help="Further updates.")] = 360,
    scenes: Annotated[int, typer.Option(min=55, help="Scenes to draw, two pictures each.")] = 5500,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order and questions.")] = 0,
) -> None:
    """Train the tiny vision-language model, measure it and write its model card."""
    from trireel_drawings.describing.measure import about_balloons, answer_with, held_out, shares
    from trireel_drawings.describing.model import load_saved, save
    from trireel_drawings.describing.report import write_card
    from trireel_drawings.describing.train import Plan, timed_train

    plan = Plan(steps=steps, plain_steps=plain_steps, scenes=scenes, threads=threads, seed=seed)
    model, processor, seconds = timed_train(siglip, plan)
    save(model, processor, output)
    with console.status("measuring on held-out drawings"):
        answer = answer_with(*load_saved(output))
        measured = shares(held_out(HELD_OUT_SCENES), answer)
        balloons = shares(about_balloons(HELD_OUT_SCENES), answer)
    write_card(output, plan, measured, mean(balloons.values()), seconds / SECONDS_PER_MINUTE)
    console.print({str(kind): share for kind, share in measured.items()})


@app.command()
def sample(output: Annotated[Path, typer.Option(help="MP4 file to write.")]) -> None:
    """Draw the sample video, and write its truth next to it."""
    from trireel_drawings.scenes.sample import write_sample

    with console.status("drawing and encoding"):
        truth_path = write_sample(output)
    console.print(f"{output} ({output.stat().st_size} bytes) and {truth_path}")


@app.command()
def sheet(output: Annotated[Path, typer.Option(help="PNG file to write.")]) -> None:
    """Draw one frame of every place and activity, to look at."""
    from trireel_drawings.scenes.sheet import contact_sheet

    contact_sheet().save(output)
    console.print(str(output))


@app.command()
def pictures(output: Annotated[Path, typer.Option(help="Folder of PNG files to write.")]) -> None:
    """Draw the places that every export is checked with."""
    from trireel_drawings.scenes.check_pictures import write_check_pictures

    write_check_pictures(output)
    console.print(str(output))
