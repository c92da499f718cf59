# SPDX-License-Identifier: Apache-2.0
"""A server from its start to its stop, with the load in between."""

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from benchmarks.common.record import ROOT
from benchmarks.common.server import running, served
from benchmarks.common.stores import store
from benchmarks.soak import web
from benchmarks.soak.asks import make_asks, references
from benchmarks.soak.clips import make_bad_files, make_clips, make_mutants
from benchmarks.soak.load import Load, Mix
from benchmarks.soak.place import Place, clients
from benchmarks.soak.tally import Tally
from benchmarks.soak.watch import Sample, Watch, sampled
from trireel_backend.launch.run_folder import FOLDER_PREFIX, SHARED_MEMORY, RunFolder

IDLE_SETTING = re.compile(r"max_sequence_idle_microseconds: \d+")
# Message of Triton 2.51 for a stream that is cancelled at the moment of its end.
NOISE = re.compile(r"HandleCancellation called even when the context was not cancelled")
MUTANTS = 120
REST_SECONDS = 3.0  # for resources that the server's next sweep frees
POLL_SECONDS = 1.0
SPOOL_MAX_BYTES = 16 * 2**20  # small, so that the server has to clear it all the time
PARAMETERS = {
    "allowed_networks": "127.0.0.0/8",
    "spool_max_bytes": str(SPOOL_MAX_BYTES),
    "source_max_bytes": str(SPOOL_MAX_BYTES // 2),
    "spool_reuse_seconds": "20",
    # The server gives up a stalled source and a stopped decoder within seconds.
    "source_timeout_seconds": "6",
    "extract_timeout_seconds": "6",
}


@dataclass(frozen=True)
class Plan:
    """Durations and contents of a run."""

    seconds: float
    """Time under load after the warm-up."""
    warm_up_seconds: float
    """Time under the same load before."""
    every_seconds: float
    """Time between samples."""
    idle_seconds: float
    """Time after which the server forgets an idle sequence."""
    seed: int
    """Seed of the requests; which of them meet depends on the threads."""
    mix: Mix = field(default_factory=Mix)

    def settle_seconds(self) -> float:
        """Return the longest life of an idle sequence: Triton's clock, the model's, its sweep."""
        return 2 * self.idle_seconds + 30.0


def run(plan: Plan) -> dict[str, Any]:
    """Make the files, run server and load, and return the report."""
    with tempfile.TemporaryDirectory(prefix="trireel-soak-") as name:
        work = Path(name).resolve()
        media, models, temporary = work / "media", work / "models", work / "tmp"
        for folder in (media, temporary, work / "weed", work / "whole"):
            folder.mkdir()
        clips = tuple(make_clips(media))
        make_bad_files(media)
        mutants = tuple(make_mutants(work / "whole", MUTANTS, plan.seed))
        _lay_out_models(plan, models)
        with (
            web.serving(media, clips) as web_server,
            _s3(media, clips, work / "weed") as (s3_uris, environment),
        ):
            log = work / "triton.log"
            options = ["--models", str(models), "--media", str(media), "--log", str(log)]
            for parameter, value in PARAMETERS.items():
                options += ["--parameter", f"{parameter}={value}"]
            command = served(*options, **environment, TMPDIR=str(temporary))
            place = Place(
                grpc_url=command.address,
                http_url=command.http,
                metrics_url=command.metrics,
                media=media,
                clips=clips,
                mutants=mutants,
                web_url=web_server.url(""),
                s3_uris=s3_uris,
                numbers=count(),
            )
            with running(command) as (footprint, _):
                (folder,) = temporary.glob(f"{FOLDER_PREFIX}*")
                watch = Watch(footprint, RunFolder(folder), media, place.metrics_url)
                of_the_start = len(_errors(log))
                found = _under_load(plan, place, watch)
                family = footprint.family()
                began = time.monotonic()
            found["stop_seconds"] = round(time.monotonic() - began, 1)
            found["log_errors"] = _errors(log)[of_the_start:]
            found["left"] = _left(family, watch, temporary)
        return found


def _left(family: list[psutil.Process], watch: Watch, temporary: Path) -> dict[str, int]:
    """Return the numbers of processes, regions and files that a stopped server has left."""
    return {
        "processes": sum(_lives(process) for process in family),
        "shared memory": len(list(SHARED_MEMORY.glob(f"{watch.run.shm_prefix}*"))),
        "temporary files": len(list(temporary.iterdir())),
    }


def _under_load(plan: Plan, place: Place, watch: Watch) -> dict[str, Any]:
    sources = ("path", "path", "bytes", "http", *(["s3"] if place.s3_uris else []))
    asks = make_asks(place.clips, sources, plan.seed)
    _say(f"the server is ready; reading the answers to {len(asks)} requests while it is idle")
    with clients(place) as own:
        expected = references(asks, place, own)
    asks = [ask for ask in asks if ask.key in expected]
    tally = Tally()
    load = Load(place, plan.mix, asks, expected, tally, watch, plan.seed)
    first = watch.permanent()
    _say(f"warming up for {plan.warm_up_seconds:g} s")
    with sampled(watch, tally, plan.every_seconds) as warming, load.running():
        time.sleep(plan.warm_up_seconds)
    before = _at_rest(plan, watch)
    _say(f"under load for {plan.seconds:g} s")
    with sampled(watch, tally, plan.every_seconds) as samples, load.running():
        time.sleep(plan.seconds)
    after = _at_rest(plan, watch)
    _say("stopping")
    return {
        "plan": {
            **asdict(plan),
            "clips": list(place.clips),
            "asks": len(asks),
            "sources": sorted(set(sources)),
        },
        "parameters": PARAMETERS,
        "spool_max_bytes": SPOOL_MAX_BYTES,
        "warming": warming,
        "before": before,
        "samples": samples,
        "after": after,
        "tally": tally.report(),
        "first_processes": first,
        "last_processes": watch.permanent(),
    }


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


def _errors(log: Path) -> list[str]:
    """Return the errors in Triton's log."""
    lines = log.read_text(errors="replace").splitlines()
    return [line[:300] for line in lines if line[:1] == "E" and not NOISE.search(line)]


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _at_rest(plan: Plan, watch: Watch) -> Sample:
    """Wait until no video and no sequence is open, at most the settle time; return a sample."""
    _say("at rest")
    deadline = time.monotonic() + plan.settle_seconds()
    while time.monotonic() < deadline:
        sample = watch.sample()
        if sample.get("trireel_live_sequences") == sample.get("trireel_open_videos") == 0:
            break
        time.sleep(POLL_SECONDS)
    time.sleep(REST_SECONDS)
    return watch.sample()


def _lay_out_models(plan: Plan, target: Path) -> None:
    """Copy the models with a shorter idle time of sequences, for which there is no option."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "model_repository", target, ignore=ignore)
    for model in ("temporal_decoder", "video_chunk", "frame_chunk"):
        config = target / model / "config.pbtxt"
        short = f"max_sequence_idle_microseconds: {round(plan.idle_seconds * 1e6)}"
        config.write_text(IDLE_SETTING.sub(short, config.read_text()))


@contextlib.contextmanager
def _s3(
    media: Path, clips: tuple[str, ...], work: Path
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the clips' URIs in an S3 store, and its environment; empty without `weed` on PATH."""
    if shutil.which("weed") is None:
        yield {}, {}
        return
    with store("s3", [media / clip for clip in clips], work) as videos:
        yield dict(zip(clips, videos.lay_out(len(clips)), strict=True)), videos.environment
