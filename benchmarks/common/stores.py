# SPDX-License-Identifier: Apache-2.0
"""Videos in a folder or in an S3 store; each request gets a file of its own, no cache helps."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Protocol

import boto3
import botocore.exceptions
import httpx

from trireel_backend.launch.ports import LOOPBACK, Ports

BUCKET = "videos"
KEYS = {"AWS_ACCESS_KEY_ID": "benchmark", "AWS_SECRET_ACCESS_KEY": "benchmark"}
READY_SECONDS = 60.0


class Store(Protocol):
    """A place that servers read videos from."""

    environment: dict[str, str]
    """Environment variables that a server needs to read them."""

    def lay_out(self, number: int) -> list[str]:
        """Make a number of videos that were never requested; return their paths or URIs."""

    def clear(self) -> None:
        """Remove all videos."""


class Files:
    """Links to the clips in one folder of the machine."""

    def __init__(self, clips: list[Path], folder: Path) -> None:
        self.environment: dict[str, str] = {}
        self._clips, self._folder, self._numbers = clips, folder, count()
        self._folder.mkdir()

    def lay_out(self, number: int) -> list[str]:
        """Link the clips in turn, from the first: to a server a link is another file."""
        paths = []
        for clip in islice(cycle(self._clips), number):
            paths.append(self._folder / f"{next(self._numbers):06d}.mp4")
            os.link(clip, paths[-1])
        return [str(path) for path in paths]

    def clear(self) -> None:
        """Remove the links."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()


class Objects:
    """Copies of the clips in an S3 store on loopback."""

    def __init__(self, clips: list[Path], url: str) -> None:
        self.environment = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", **KEYS}
        self._clips = [clip.read_bytes() for clip in clips]
        self._numbers = count()
        self._s3 = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )
        self._s3.create_bucket(Bucket=BUCKET)
        self._names: list[str] = []

    def lay_out(self, number: int) -> list[str]:
        """Upload the clips in turn, from the first."""
        names = [f"{next(self._numbers):06d}.mp4" for _ in range(number)]
        for name, data in zip(names, cycle(self._clips), strict=False):
            self._s3.put_object(Bucket=BUCKET, Key=name, Body=data)
        self._names += names
        return [f"s3://{BUCKET}/{name}" for name in names]

    def clear(self) -> None:
        """Remove the objects."""
        for name in self._names:
            self._s3.delete_object(Bucket=BUCKET, Key=name)
        self._names.clear()


@contextlib.contextmanager
def store(kind: str, clips: list[Path], work: Path) -> Iterator[Store]:
    """Run a store, `file` or `s3`, within the context; `s3` needs `weed` (SeaweedFS) on PATH."""
    if kind == "file":
        # Beside the clips: a hard link stays in its file system.
        folder = clips[0].parent / f"requests-{os.getpid()}"
        try:
            yield Files(clips, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    with _seaweedfs(work) as url:
        yield Objects(clips, url)


@contextlib.contextmanager
def _seaweedfs(work: Path) -> Iterator[str]:
    names = ("master", "volume", "filer", "s3")
    triples = [Ports.free() for _ in range(3)]
    free = [port for each in triples for port in (each.http, each.grpc, each.metrics)]
    command = ["weed", "-logtostderr=true", "server", f"-dir={work}"]
    command += [f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"]
    command += ["-master.telemetry=false", "-volume.max=0", "-s3", f"-s3.ip.bind={LOOPBACK}"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"]
    for index, name in enumerate(names):
        command += [f"-{name}.port={free[2 * index]}", f"-{name}.port.grpc={free[2 * index + 1]}"]
    url = f"http://localhost:{free[2 * names.index('s3')]}"
    environment = {**os.environ, **KEYS, "HOME": str(work)}
    with (work / "weed.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_until_ready(url)
        yield url
    finally:
        process.kill()  # terminated, it takes many seconds
        process.wait()


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError, botocore.exceptions.BotoCoreError):
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        time.sleep(0.2)
    raise TimeoutError(f"the S3 store at {url} is not ready after {READY_SECONDS:.0f} s")
