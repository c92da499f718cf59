# SPDX-License-Identifier: Apache-2.0
"""What the command prints of an export: its checks and its files."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:  # they import torch
    from trireel_export.detector.export import DetectorReport
    from trireel_export.export import ExportReport
    from trireel_export.shots.export import ShotsReport

MOST_ITEM_CHARACTERS = 20  # a longer name or sentence is cut in the table


def print_export(report: "ExportReport", console: Console) -> None:
    """Print the checks and the files of a SigLIP's export."""
    metadata = report.metadata
    console.print(_checks_table(report))
    console.print(_files_table(report.output, report.file_bytes))
    console.print(
        f"{metadata.image_size_px} px, {metadata.embedding_dim} wide,"
        f" {metadata.text_length} tokens, {metadata.precision}, opset {metadata.opset},"
        f" weights {metadata.weights_sha256[:12]}",
        highlight=False,
    )


def print_shots(report: "ShotsReport", console: Console) -> None:
    """Print the checks and the files of the export of TransNetV2."""
    table = Table(title=f"{report.requirement}: checked")
    for heading in ("windows in batches of", "to its own code", "to batches of 1"):
        table.add_column(heading, justify="right")
    for check in report.checks:
        table.add_row(
            str(check.batch_size), f"{check.difference:.1e}", f"{check.between_batches:.1e}"
        )
    console.print(table)
    console.print(_files_table(report.output, report.file_bytes))


def print_detector(report: "DetectorReport", console: Console) -> None:
    """Print the checks and the files of a detector's export."""
    metadata = report.metadata
    table = Table(title=f"{metadata.checkpoint}: checked")
    for heading in ("frames in batches of", "detections", "least IoU", "score apart"):
        table.add_column(heading, justify="right")
    for check in report.checks:
        table.add_row(
            str(check.batch_size),
            str(check.compared),
            f"{check.overlap:.6f}",
            f"{check.score:.1e}",
        )
    console.print(table)
    console.print(_files_table(report.output, report.file_bytes))
    console.print(
        f"{metadata.architecture}, {metadata.width_px} x {metadata.height_px} px,"
        f" {len(metadata.labels)} classes, {metadata.num_boxes} boxes, {metadata.precision},"
        f" opset {metadata.opset}, weights {metadata.weights_sha256[:12]}",
        highlight=False,
    )


def _checks_table(report: "ExportReport") -> Table:
    table = Table(title=f"{report.metadata.checkpoint}: checked")
    for heading in ("items", "compared with", "worst item"):
        table.add_column(heading)
    table.add_column("cosine", justify="right")
    for check in report.checks:
        item = textwrap.shorten(check.worst_item, MOST_ITEM_CHARACTERS, placeholder=" ...")
        table.add_row(check.subject, check.compared_with, escape(repr(item)), f"{check.cosine:.7f}")
    return table


def _files_table(output: Path, file_bytes: Mapping[str, int]) -> Table:
    table = Table(title=f"{output}: written")
    table.add_column("file")
    table.add_column("bytes", justify="right")
    for name, size in file_bytes.items():
        table.add_row(name, f"{size:,}")
    return table
