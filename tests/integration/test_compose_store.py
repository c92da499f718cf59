# SPDX-License-Identifier: Apache-2.0
"""The S3 store of docker-compose.yml, by its very command line, with the real server before it."""

import os
import socket
import subprocess
import time
from contextlib import ExitStack

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from support import compose

from trireel_client import InvalidRequest, ServerPath, TrireelClient

from .conftest import SAMPLE, served

READY_SECONDS = 60
PORTS = ("master", "volume", "filer", "s3")
ONE_TRY = Config(retries={"max_attempts": 0})


def free_ports(count):
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The store on loopback; yields its address and the environment that leads to it."""
    folder = tmp_path_factory.mktemp("seaweedfs")
    service = compose.load()["services"]["seaweedfs"]
    ports = free_ports(2 * len(PORTS))
    # The last of a flag counts: another folder, and ports that nobody else has.
    own_command = [*service["entrypoint"], *service["command"]]
    command = [*own_command, f"-dir={folder}", "-s3.ip.bind=127.0.0.1"]
    for index, name in enumerate(PORTS):
        command += [f"-{name}.port={ports[index]}", f"-{name}.port.grpc={ports[index - 4]}"]
    # A name and not an address, as in Compose: buckets must not become part of it.
    url = f"http://localhost:{ports[PORTS.index('s3')]}"
    own = {key: str(value) for key, value in service["environment"].items()}
    environment = {**os.environ, **own, "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until_well(url, service, folder / "log")
        keys = {name: own[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        yield {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", **keys}
    finally:
        process.kill()
        process.wait()


def wait_until_well(url, service, log):
    """Ask what the healthcheck asks."""
    path = service["healthcheck"]["test"][-1].partition(":8333")[2]
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            if httpx.get(url + path).status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


@pytest.fixture(scope="module")
def video(store):
    """The sample, uploaded into a bucket that nobody made."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                client.upload_file(str(SAMPLE), "videos", "first/sample.mp4")
                break
            except (ClientError, boto3.exceptions.S3UploadFailedError):
                assert time.monotonic() < deadline  # its parts find each other within seconds
                time.sleep(0.5)
        client.close()
        yield "s3://videos/first/sample.mp4"


def test_the_server_analyses_a_video_of_the_store(video, tmp_path, truth):
    parameters = {"s3_buckets": "videos"}
    with (
        served(tmp_path, tmp_path, parameters) as server,
        TrireelClient(server.grpc_url) as client,
    ):
        answer = client.analyze(ServerPath(video))
        assert answer.is_complete
        assert len(answer.scene_changes) == len(truth) - 1
        with pytest.raises(InvalidRequest, match="bucket"):
            client.analyze(ServerPath("s3://others/sample.mp4"))


@pytest.mark.parametrize(
    "config",
    [
        {"aws_access_key_id": "trireel", "aws_secret_access_key": "guessed"},
        {"aws_access_key_id": "stranger", "aws_secret_access_key": "sesame"},
        {"config": Config(signature_version=UNSIGNED, retries={"max_attempts": 0})},
    ],
    ids=["wrong secret", "unknown key", "anonymous"],
)
def test_the_store_is_closed_to_others(video, store, config):
    client = boto3.client("s3", **{"config": ONE_TRY, **config})
    with pytest.raises(ClientError, match=r"AccessDenied|SignatureDoesNotMatch|InvalidAccessKeyId"):
        client.get_object(Bucket="videos", Key="first/sample.mp4")
    client.close()
