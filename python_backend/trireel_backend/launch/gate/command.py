# SPDX-License-Identifier: Apache-2.0
"""Command `trireel-gate`: whether a served tower sees what the checkpoint sees, in any batch."""

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
from trireel_backend.towers.gate import check_gate
from trireel_schema.files import GATE_FILE, METADATA_FILE, TEXT_BANK_FILE
from trireel_schema.gate import LEAST_COSINE, GateReport
from trireel_schema.pictures import KnownPictures
from trireel_schema.vectors import paired_cosines

MODEL = "siglip_vision"
BATCH_SIZES = (1, 3, 16)
"""A frame, a size no graph or profile was made for, a chunk."""
CALL_SECONDS = 300.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class BatchReport:
    """How a tower passed in batches of one size."""

    batch_size: int
    report: GateReport
    least_agreement: float
    """Smallest cosine of a picture's embedding to the one it had in the batches before."""


def check_served(endpoint: Endpoint, export: Path) -> list[BatchReport]:
    """Let a server embed an export's known pictures in batches of several sizes, and compare.

    Raises:
        GateFailed: it serves another tower, or one that lost accuracy, or whose answers depend on
            what a picture is batched with.
        NotReady: nobody answers there.
        MissingPart: the export is not complete.
    """
    metadata = load_metadata(export / METADATA_FILE)
    known = load_gate(export / GATE_FILE, metadata)
    bank = load_text_bank(export / TEXT_BANK_FILE, metadata)
    reports: list[BatchReport] = []
    earlier: list[NDArray[np.float32]] = []
    with endpoint.client() as client:
        _check_sizes(client, endpoint, known)
        for size in BATCH_SIZES:
            embeddings = _embed(client, known, size)
            try:
                report = check_gate(known, embeddings, [bank.tags, bank.descriptions])
            except GateFailed as error:
                raise GateFailed(f"in batches of {size}: {error}") from error
            agreement = min((_agreement(known, embeddings, e, size) for e in earlier), default=1.0)
            reports.append(BatchReport(size, report, agreement))
            earlier.append(embeddings)
    return reports


def _check_sizes(client: Any, endpoint: Endpoint, known: KnownPictures) -> None:
    try:
        served = client.get_model_metadata(MODEL, client_timeout=CALL_SECONDS)
    except InferenceServerException as error:
        raise NotReady(f"{endpoint.url} does not serve {MODEL}: {error.message()}") from error
    shapes = {tensor.name: list(tensor.shape)[1:] for tensor in [*served.inputs, *served.outputs]}
    expected = {
        "FRAMES": list(known.frames.shape[1:]),
        "EMBEDDINGS": list(known.embeddings.shape[1:]),
    }
    if shapes != expected:
        raise GateFailed(
            f"{MODEL} at {endpoint.url} has {shapes}, the export has {expected}: it serves"
            " another export"
        )


def _embed(client: Any, known: KnownPictures, batch_size: int) -> NDArray[np.float32]:
    answers = []
    for start in range(0, len(known.names), batch_size):
        frames = known.frames[start : start + batch_size]
        try:
            answers.append(embed_frames(client, frames, CALL_SECONDS))
        except InferenceServerException as error:
            raise GateFailed(
                f"{MODEL} does not embed a batch of {len(frames)}: {error.message()}"
            ) from error
    return np.concatenate(answers)


def _agreement(
    known: KnownPictures, one: NDArray[np.float32], other: NDArray[np.float32], batch_size: int
) -> float:
    cosines = paired_cosines(one, other)
    worst = int(np.argmin(cosines))
    if not cosines[worst] >= LEAST_COSINE:
        raise GateFailed(
            f"the embedding of {known.names[worst]!r} depends on its batch: in batches of"
            f" {batch_size} it has cosine {cosines[worst]:.6f} to that of smaller ones, at least"
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
        Path | None, typer.Option(help="Ask over TLS; who signed the server's certificate, PEM.")
    ] = None,
    server_name: Annotated[
        str | None, typer.Option(help="A name in that certificate, by default the host of --url.")
    ] = None,
    certificate_file: Annotated[
        Path | None, typer.Option(help="Client certificate to show, PEM.")
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="Key of that certificate, PEM.")] = None,
) -> None:
    """Compare the tower that a server runs with the checkpoint; exit 1 where it is not the same."""
    tls = None
    if ca_file is None and (server_name, certificate_file, key_file) != (None, None, None):
        raise typer.BadParameter(
            "is missing: the other options are for TLS", param_hint="--ca-file"
        )
    if ca_file is not None:
        tls = ClientTls(ca_file, server_name or url.rpartition(":")[0], certificate_file, key_file)
    try:
        reports = check_served(Endpoint(url, tls), export)
    except (StartupError, OSError) as error:
        Console(stderr=True).print(f"trireel-gate: {error}", markup=False, highlight=False)
        raise typer.Exit(1) from error
    Console().print(_table(url, reports))


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


if __name__ == "__main__":
    app()
