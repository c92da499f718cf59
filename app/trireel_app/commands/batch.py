# SPDX-License-Identifier: Apache-2.0
"""The command `trireel batch`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from trireel_app.analyse.servers import ServerLimits
from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.options import (
    DEFAULT_IN_FLIGHT,
    DEFAULT_LEASE_SECONDS,
    DEFAULT_REQUEST_SECONDS,
    DEFAULT_WAIT_SECONDS,
    Database,
    LeaseSeconds,
    Quiet,
    RequestSeconds,
    ServerConcurrency,
    ServerRate,
    Urls,
    WaitSeconds,
    worker_options,
)
from trireel_app.commands.run import run_job
from trireel_app.engine.database import default_url, open_database
from trireel_app.engine.dbos_engine import MOST_ATTEMPTS
from trireel_app.jobs.job import Form, JobSpec, RowKind
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.submit import Submitted, output_of, submit
from trireel_app.sources.expand import SourceOptions, expand
from trireel_client._cli_options import (
    CaFile,
    CertificateFile,
    Find,
    KeyFile,
    KeyframesOnly,
    SceneModeName,
    ServerName,
    Tags,
    TlsOption,
    tls_options,
)
from trireel_client._command.numbers import four_numbers
from trireel_client._command.texts import descriptions_of, tags_of

CLAIMS_PER_REQUEST = 2
"""Videos that a worker claims for each request in flight, so that none waits for the database."""


def batch(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="Files, folders, patterns in quotes, s3://BUCKET/PREFIX/*.mp4, http(s) URLs.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="F.jsonl|F.parquet|DIR|s3://...",
            help="Output: a file, or a folder of files.",
        ),
    ] = "results.jsonl",
    form: Annotated[
        Form | None, typer.Option("--format", help="Format of the files of a folder.")
    ] = None,
    rows: Annotated[
        RowKind, typer.Option(help="One row for each clip, video or, in Parquet, frame.")
    ] = RowKind.CLIPS,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Take the videos in folders below too.")
    ] = False,
    uri_file: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Text file with a source a line; repeat for several."),
    ] = None,
    manifest: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="CSV, JSONL or Parquet file with a video a row and its own options.",
        ),
    ] = None,
    find: Find = None,
    tags: Tags = None,
    descriptions: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT|@FILE", help="Captions to choose from instead."),
    ] = None,
    chunk_seconds: Annotated[
        float | None, typer.Option(help="Length of a clip in seconds.")
    ] = None,
    frames_per_chunk: Annotated[
        int | None, typer.Option(help="Number of frames to sample from each clip.")
    ] = None,
    frame_every_sec: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds from one sampled frame to the next.")
    ] = None,
    keyframes_only: KeyframesOnly = False,
    crop: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="Region to analyse, as fractions.")
    ] = None,
    crop_px: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="Region to analyse in pixels.")
    ] = None,
    top_k: Annotated[int | None, typer.Option(help="Number of tags of a clip.")] = None,
    scenes: Annotated[SceneModeName | None, typer.Option(help="Way to find scenes.")] = None,
    attempts: Annotated[
        int, typer.Option(min=1, max=MOST_ATTEMPTS, help="Attempts for each video.")
    ] = 3,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Videos in flight over all workers of the job.")
    ] = None,
    videos_per_minute: Annotated[
        float | None, typer.Option(min=0.01, help="Videos that may begin in a minute.")
    ] = None,
    url: Urls = None,
    server_concurrency: ServerConcurrency = DEFAULT_IN_FLIGHT,
    server_videos_per_minute: ServerRate = None,
    wait_seconds: WaitSeconds = DEFAULT_WAIT_SECONDS,
    timeout: RequestSeconds = DEFAULT_REQUEST_SECONDS,
    lease_seconds: LeaseSeconds = DEFAULT_LEASE_SECONDS,
    database: Database = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave the work to `trireel worker`.")
    ] = False,
    quiet: Quiet = False,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Analyse many videos as one job that survives crashes.

    The same command again goes on with a job that was interrupted. Exits with 1 if a video failed,
    with 2 if an option is wrong, with 130 if it was interrupted.
    """
    options: dict[str, Any] = {
        "find": find or None,
        "tags": tags_of(tags, None),
        "descriptions": descriptions_of(descriptions, None),
        "chunk_seconds": chunk_seconds,
        "frames_per_chunk": frames_per_chunk,
        "sample_fps": None if frame_every_sec is None else 1 / frame_every_sec,
        "keyframes_only": keyframes_only or None,
        "crop": four_numbers("--crop", crop, float),
        "crop_px": four_numbers("--crop-px", crop_px, int),
        "top_k": top_k,
        "scenes": None if scenes is None else scenes.value,
    }
    with errors_as_sentences():
        limits = ServerLimits(server_concurrency, server_videos_per_minute, wait_seconds)
        address, chosen_form = output_of(output, form)
        spec = JobSpec(
            output=address,
            form=chosen_form,
            rows=rows,
            options={name: value for name, value in options.items() if value is not None},
            attempts=attempts,
            per_worker=CLAIMS_PER_REQUEST * server_concurrency * max(1, len(url or [])),
            in_flight=concurrency,
            per_minute=videos_per_minute,
        )
        tls_settings = tls_options(tls, ca_file, certificate_file, key_file, server_name)
        worker_options(url, limits, timeout, lease_seconds, tls_settings)  # before a job is made
        named = SourceOptions(
            tuple(sources or ()), recursive, tuple(uri_file or ()), tuple(manifest or ())
        )
        videos = list(expand(named))
        store = JobStore(open_database(database or default_url()))
        submitted = submit(store, spec, videos)
        _tell(submitted, len(videos))
        if not detach:
            job_id = submitted.job_id
            work = worker_options(url, limits, timeout, lease_seconds, tls_settings, job_id)
            run_job(store, work, quiet)


def _tell(submitted: Submitted, num_videos: int) -> None:
    verb = "goes on" if submitted.is_resumed else "begins"
    typer.echo(f"job {submitted.job_id} {verb}: {num_videos} videos", err=True)
    for uri in submitted.changed:
        typer.echo(f"trireel: {uri} has changed and is analysed again", err=True)
