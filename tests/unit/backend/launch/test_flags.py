# SPDX-License-Identifier: Apache-2.0
"""The flags of tritonserver: closed APIs, and keepalive."""

from pathlib import Path

import pytest

from trireel_backend.launch.flags import common_flags
from trireel_backend.launch.ports import Ports

BOTH = ("http-restricted-api", "grpc-restricted-protocol")


def flags(**values):
    return common_flags(
        repository=Path("models"),
        backends=Path("backends"),
        address="127.0.0.1",
        ports=Ports(),
        exit_seconds=1,
        **values,
    )


def closed(flags, name):
    return set(flags[name].partition(":")[0].split(","))


@pytest.mark.parametrize("name", BOTH)
def test_only_client_shared_memory_can_be_opened(name):
    admin = {"model-repository", "shared-memory", "trace", "logging"}
    assert closed(flags(), name) == admin
    assert closed(flags(client_shared_memory=True), name) == admin - {"shared-memory"}


def test_each_flag_and_each_run_has_a_secret_of_its_own():
    values = [run[name] for run in (flags(), flags()) for name in BOTH]
    secrets = {value.rpartition("=")[2] for value in values}
    assert len(secrets) == 4
    assert {len(secret) for secret in secrets} == {64}


def test_clients_may_ping_often_while_they_wait():
    values = flags()
    assert values["grpc-http2-min-recv-ping-interval-without-data"] <= 10_000
    assert values["grpc-keepalive-permit-without-calls"] == 1
