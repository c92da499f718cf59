# SPDX-License-Identifier: Apache-2.0
"""A server from its start to its stop, with the load in between."""

import contextlib
import os
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

from benchmarks.peer_ray_serve.stores import store
from benchmarks.soak import web
from benchmarks.soak.asks import make_asks, references
from benchmarks.soak.clips import make_bad_files, make_clips, make_mutants
from benchmarks.soak.load import Load, Mix
from benchmarks.soak.place import Place, clients
from benchmarks.soak.tally import Tally
from benchmarks.soak.watch import Sample, Watch, sampled
from trireel_backend.launch.children import living_children
from trireel_backend.launch.embedded.server import (
    Ports,
    RunningServer,
    ServerOptions,
    embedded_server,
)
from trireel_backend.launch.run_folder import FOLDER_PREFIX, SHARED_MEMORY, RunFolder

ROOT = Path(__file__).parents[2]
IDLE_SETTING = re.compile(r"max_sequence_idle_microseconds: \d+")
# What Triton 2.51 says of a stream that is cancelled just when it is complete.
NOISE = re.compile(r"HandleCancellation called even when the context was not cancelled")
MUTANTS = 120
REST_SECONDS = 3.0  # for what is let go of at the next look
POLL_SECONDS = 1.0
SPOOL_MAX_BYTES = 16 * 2**20  # a small one, which has to be cleared all the time
PARAMETERS = {
    "allowed_networks": "127.0.0.0/8",
    "spool_max_bytes": str(SPOOL_MAX_BYTES),
    "source_max_bytes": str(SPOOL_MAX_BYTES // 2),
    "spool_reuse_seconds": "20",
    # A source that stalls and a decoder that is stopped are given up in seconds.
    "source_timeout_seconds": "6",
    "extract_timeout_seconds": "6",
}


@dataclass(frozen=True)
class Plan:
    """How long, and how much of what."""

    seconds: float
    """Under load, after the warm-up."""
    warm_up_seconds: float
    """Under the same load."""
    every_seconds: float = 5.0
    """Between samples."""
    idle_seconds: float = 20.0
    """After which the server forgets a sequence."""
    seed: int = 1
    """Of what is asked; what meets what is for the threads to say."""
    models: Path = ROOT / "model_repository"
    """The models that are served."""
    clips: tuple[str, ...] = ()
    """Names of the good files that are asked for; all of them where there are none."""
    with_s3: bool = True
    """Where there is a `weed` on PATH."""
    mix: Mix = field(default_factory=Mix)

    def settle_seconds(self) -> float:
        """Return how long idle sequences may live on: Triton's clock, the model's, its sweep."""
        return 2 * self.idle_seconds + 30.0


def run(plan: Plan) -> dict[str, Any]:
    """Do it all; return what was found."""
    with tempfile.TemporaryDirectory(prefix="trireel-soak-") as name:
        work = Path(name)
        media, models, temporary = work / "media", work / "models", work / "tmp"
        for folder in (media, temporary, work / "weed", work / "whole"):
            folder.mkdir()
        clips = make_clips(media, plan.clips)
        make_bad_files(media)
        _lay_out_models(plan, models)
        with (
            web.serving(media, tuple(clips)) as web_server,
            _s3_uris(plan, media, clips, work / "weed") as s3_uris,
            _temporary(temporary),
        ):
            place = {
                "media": media.resolve(),
                "clips": tuple(clips),
                "mutants": tuple(make_mutants(work / "whole", MUTANTS, plan.seed)),
                "web_url": web_server.url(""),
                "s3_uris": s3_uris,
                "numbers": count(),
            }
            found = _serve(plan, models, work / "triton.log", temporary, place)
            found["left"]["temporary files"] = len(list(temporary.iterdir()))
        return found


def _serve(
    plan: Plan, models: Path, log: Path, temporary: Path, known: dict[str, Any]
) -> dict[str, Any]:
    options = ServerOptions(
        models=models,
        export=ROOT / "export/tiny/model",
        media_root=known["media"],
        ports=Ports.free(),
        parameters=PARAMETERS,
        log=log,
    )
    with embedded_server(options) as server:
        (folder,) = temporary.glob(f"{FOLDER_PREFIX}*")
        ports = server.ports
        place = Place(
            grpc_url=f"127.0.0.1:{ports.grpc}",
            http_url=f"127.0.0.1:{ports.http}",
            metrics_url=f"127.0.0.1:{ports.metrics}",
            **known,
        )
        watch = Watch(
            psutil.Process(server.process.pid), RunFolder(folder), place.media, place.metrics_url
        )
        of_the_start = len(_errors(log))
        found = _under_load(plan, place, watch, server)
        family = [watch.server, *watch.server.children(recursive=True)]
        began = time.monotonic()
    found["stop_seconds"] = round(time.monotonic() - began, 1)
    found["log_errors"] = _errors(log)[of_the_start:]
    found["left"] = {
        "processes": sum(_lives(process) for process in family),
        "shared memory": len(list(SHARED_MEMORY.glob(f"{watch.run.shm_prefix}*"))),
    }
    return found


def _under_load(plan: Plan, place: Place, watch: Watch, server: RunningServer) -> dict[str, Any]:
    sources = ("path", "path", "bytes", "http", *(["s3"] if place.s3_uris else []))
    asks = make_asks(place.clips, sources, plan.seed)
    _say(f"the server is ready; asking {len(asks)} requests' answers while it is idle")
    with clients(place) as own:
        expected = references(asks, place, own)
    asks = [ask for ask in asks if ask.key in expected]
    _say(f"warming up for {plan.warm_up_seconds:g} s")
    tally = Tally()
    load = Load(place, plan.mix, asks, expected, tally, watch.server, plan.seed)
    first = _pids(server)
    with sampled(watch, tally, plan.every_seconds) as warming, load.running():
        time.sleep(plan.warm_up_seconds)
    _say("at rest")
    before = _at_rest(plan, watch)
    _say(f"under load for {plan.seconds:g} s")
    with sampled(watch, tally, plan.every_seconds) as samples, load.running():
        time.sleep(plan.seconds)
    _say("at rest")
    after = _at_rest(plan, watch)
    _say("stopping")
    return {
        "plan": {
            "seconds": plan.seconds,
            "warm_up_seconds": plan.warm_up_seconds,
            "idle_seconds": plan.idle_seconds,
            "seed": plan.seed,
            "mix": asdict(plan.mix),
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
        "last_processes": _pids(server),
    }


def _say(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, flush=True)


def _errors(log: Path) -> list[str]:
    """Return the errors in Triton's log."""
    lines = log.read_text(errors="replace").splitlines()
    return [line[:300] for line in lines if line[:1] == "E" and not NOISE.search(line)]


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _pids(server: RunningServer) -> list[int]:
    """Return the processes that Triton never starts again."""
    living = {server.process.pid, *living_children(server.process.pid)}
    return sorted(living & {server.process.pid, *server.stubs})


def _at_rest(plan: Plan, watch: Watch) -> Sample:
    """Wait until nothing is under way any more, and look; what does not end is seen there."""
    deadline = time.monotonic() + plan.settle_seconds()
    while time.monotonic() < deadline:
        sample = watch.sample()
        if sample.get("trireel_live_sequences") == sample.get("trireel_open_videos") == 0:
            break
        time.sleep(POLL_SECONDS)
    time.sleep(REST_SECONDS)
    return watch.sample()


def _lay_out_models(plan: Plan, target: Path) -> None:
    """Copy the models, with a shorter patience for sequences: there is no option for it."""
    shutil.copytree(plan.models, target, ignore=shutil.ignore_patterns("__pycache__"))
    for model in ("temporal_decoder", "video_chunk", "frame_chunk"):
        config = target / model / "config.pbtxt"
        short = f"max_sequence_idle_microseconds: {round(plan.idle_seconds * 1e6)}"
        config.write_text(IDLE_SETTING.sub(short, config.read_text()))


@contextlib.contextmanager
def _s3_uris(plan: Plan, media: Path, clips: list[str], work: Path) -> Iterator[dict[str, str]]:
    """Yield the clips' URIs in an S3 store of their own; none where there is no `weed` on PATH."""
    if not plan.with_s3 or shutil.which("weed") is None:
        yield {}
        return
    with store("s3", [media / clip for clip in clips], work) as videos:
        os.environ.update(videos.environment)
        yield dict(zip(clips, videos.lay_out(len(clips)), strict=True))


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """Have the server, and all that it starts, put temporary files into a folder of their own."""
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before[0]
        os.environ.pop("TMPDIR")
        if before[1] is not None:
            os.environ["TMPDIR"] = before[1]
