# SPDX-License-Identifier: Apache-2.0
"""Command `trireel-gate`: does a served tower see as the checkpoint does, in any batch?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from tritonclient.utils import InferenceServerException

from trireel_backend.artifacts import load_gate, load_metadata, load_text_bank
from trireel_backend.errors import GateFailed, NotReady, StartupError
from trireel_backend.launch.canary import embed_frames
from trireel_backend.launch.endpoint import ClientTls, Endpoint
from trireel_backend.launch.gate.detector import DetectorReport, check_served_detector
from trireel_backend.launch.gate.shots import ShotReport, check_served_shots
from trireel_backend.towers.gate import check_gate
from trireel_schema.detector import DETECTOR_MODEL
from trireel_schema.files import GATE_FILE, METADATA_FILE, TEXT_BANK_FILE
from trireel_schema.gate import LEAST_COSINE, GateReport
from trireel_schema.pictures import KnownPictures
from trireel_schema.shots import SHOT_MODEL
from trireel_schema.vectors import paired_cosines

MODEL = "siglip_vision"
BATCH_SIZES = (1, 3, 16)
"""One frame, a size for which no graph or profile was built, and a chunk."""
CALL_SECONDS = 300.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class BatchReport:
    """The results of a tower that passed in batches of one size."""

    batch_size: int
    report: GateReport
    """Comparison of the embeddings with the checkpoint's."""
    least_agreement: float
    """Smallest cosine of a picture's embedding to its embedding in batches of earlier sizes."""


def check_served(endpoint: Endpoint, export: Path) -> list[BatchReport]:
    """Request embeddings of an export's known pictures in several batch sizes, and compare them.

    Raises:
        GateFailed: if the server runs another tower, or one that lost accuracy, or one whose
            embedding of a picture depends on the rest of the batch.
        NotReady: if no server answers there.
        MissingPart: if the export is not complete.
    """
    metadata = load_metadata(export / METADATA_FILE)
    pictures = load_gate(export / GATE_FILE, metadata)
    bank = load_text_bank(export / TEXT_BANK_FILE, metadata)
    reports: list[BatchReport] = []
    earlier: list[NDArray[np.float32]] = []
    with endpoint.client() as client:
        _check_sizes(client, endpoint, pictures)
        for size in BATCH_SIZES:
            embeddings = _embed(client, pictures, size)
            try:
                report = check_gate(pictures, embeddings, [bank.tags, bank.descriptions])
            except GateFailed as error:
                raise GateFailed(f"in batches of {size}: {error}") from error
            agreement = min(
                (_agreement(pictures, embeddings, other, size) for other in earlier), default=1.0
            )
            reports.append(BatchReport(size, report, agreement))
            earlier.append(embeddings)
    return reports


def _check_sizes(client: Any, endpoint: Endpoint, pictures: KnownPictures) -> None:
    try:
        served = client.get_model_metadata(MODEL, client_timeout=CALL_SECONDS)
    except InferenceServerException as error:
        raise NotReady(f"{endpoint.url} does not serve {MODEL}: {error.message()}") from error
    shapes = {tensor.name: list(tensor.shape)[1:] for tensor in [*served.inputs, *served.outputs]}
    expected = {
        "FRAMES": list(pictures.frames.shape[1:]),
        "EMBEDDINGS": list(pictures.embeddings.shape[1:]),
    }
    if shapes != expected:
        raise GateFailed(
            f"{MODEL} at {endpoint.url} has {shapes}, the export has {expected}: the server runs"
            " another export"
        )


def _embed(client: Any, pictures: KnownPictures, batch_size: int) -> NDArray[np.float32]:
    answers = []
    for start in range(0, len(pictures.names), batch_size):
        frames = pictures.frames[start : start + batch_size]
        try:
            answers.append(embed_frames(client, frames, CALL_SECONDS))
        except InferenceServerException as error:
            raise GateFailed(
                f"{MODEL} does not embed a batch of {len(frames)}: {error.message()}"
            ) from error
    return np.concatenate(answers)


def _agreement(
    pictures: KnownPictures,
    embeddings: NDArray[np.float32],
    earlier: NDArray[np.float32],
    batch_size: int,
) -> float:
    cosines = paired_cosines(embeddings, earlier)
    worst = int(np.argmin(cosines))
    if not cosines[worst] >= LEAST_COSINE:
        raise GateFailed(
            f"the embedding of {pictures.names[worst]!r} depends on its batch: in batches of"
            f" {batch_size} it has cosine {cosines[worst]:.6f} to that in smaller batches, at least"
            f" {LEAST_COSINE} is needed"
        )
    return float(cosines[worst])


@app.command()
def gate(
    export: Annotated[Path, typer.Option(help="Output folder of trireel-export.", file_okay=False)],
    url: Annotated[
        str, typer.Option(help="gRPC address of the server, host:port.")
    ] = "127.0.0.1:8001",
    ca_file: Annotated[
        Path | None, typer.Option(help="Use TLS; certificate of the server's authority, PEM.")
    ] = None,
    server_name: Annotated[
        str | None, typer.Option(help="A name in that certificate, by default the host of --url.")
    ] = None,
    certificate_file: Annotated[
        Path | None, typer.Option(help="Client certificate, if the server requires one, PEM.")
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="Key of that certificate, PEM.")] = None,
    shots: Annotated[
        Path | None,
        typer.Option(help="Compare shot_boundary too; folder of its files.", file_okay=False),
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option(help="Compare object_detector too; folder of its files.", file_okay=False),
    ] = None,
) -> None:
    """Compare the models that a server runs with the checkpoints; exit with 1 if they differ."""
    tls = None
    if ca_file is None and (server_name, certificate_file, key_file) != (None, None, None):
        raise typer.BadParameter(
            "is missing: the other options are for TLS", param_hint="--ca-file"
        )
    if ca_file is not None:
        tls = ClientTls(ca_file, server_name or url.rpartition(":")[0], certificate_file, key_file)
    try:
        reports = check_served(Endpoint(url, tls), export)
        shot_reports = check_served_shots(Endpoint(url, tls), shots) if shots else []
        detections = check_served_detector(Endpoint(url, tls), detector) if detector else []
    except (StartupError, OSError) as error:
        Console(stderr=True).print(f"trireel-gate: {error}", markup=False, highlight=False)
        raise typer.Exit(1) from error
    Console().print(_table(url, reports))
    if shot_reports:
        Console().print(_shot_table(url, shot_reports))
    if detections:
        Console().print(_detector_table(url, detections))


def _table(url: str, reports: list[BatchReport]) -> Table:
    table = Table(title=f"{MODEL} at {url}: as the checkpoint")
    for heading in ("batches of", "pictures", "worst picture"):
        table.add_column(heading)
    for heading in ("cosine", "to other batches", "texts swapped within"):
        table.add_column(heading, justify="right")
    for row in reports:
        table.add_row(
            str(row.batch_size),
            str(row.report.pictures),
            row.report.worst_picture,
            f"{row.report.worst_cosine:.6f}",
            f"{row.least_agreement:.6f}",
            f"{row.report.widest_swap:.6f}",
        )
    return table


def _shot_table(url: str, reports: list[ShotReport]) -> Table:
    table = Table(title=f"{SHOT_MODEL} at {url}: as its own code")
    for heading in ("batches of", "windows", "largest difference", "to batches of 1"):
        table.add_column(heading, justify="right")
    for row in reports:
        apart = f"{row.between_batches:.1e}"
        table.add_row(str(row.batch_size), str(row.windows), f"{row.difference:.1e}", apart)
    return table


def _detector_table(url: str, reports: list[DetectorReport]) -> Table:
    table = Table(title=f"{DETECTOR_MODEL} at {url}: as the checkpoint")
    for heading in ("batches of", "detections", "least IoU", "score apart", "to batches of 1"):
        table.add_column(heading, justify="right")
    for row in reports:
        table.add_row(
            str(row.batch_size),
            str(row.detections),
            f"{row.overlap:.4f}",
            f"{row.score:.1e}",
            f"{row.between_batches:.1e}",
        )
    return table


if __name__ == "__main__":
    app()
