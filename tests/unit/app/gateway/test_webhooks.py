# SPDX-License-Identifier: Apache-2.0
"""Webhooks: signed, repeated until accepted, never to places inside the network."""

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa
from support.gateway import gateway_app
from support.serving import in_thread

from trireel_app.gateway.webhooks.addresses import NotAllowed, WebhookRules
from trireel_app.gateway.webhooks.deliver import Webhooks
from trireel_app.gateway.webhooks.send import secret_of, signature
from trireel_app.jobs.uploads import UploadRow, UploadState, new_id
from trireel_app.jobs.webhook_calls import CALLS, CallState, WebhookCalls
from trireel_schema.networks import networks_of


class Receiver(ThreadingHTTPServer):
    """A server that takes calls; it answers by its list of statuses, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def receiver():
    server = Receiver()
    with in_thread(server):
        yield server


def ended_video(gateway, url: str, job_id: str = "j1") -> UploadRow:
    row = UploadRow(
        id=new_id(),
        owner="anna",
        name="a.mp4",
        uri="s3://a/b",
        state=UploadState.DONE,
        created_at=time.time(),
        finished_at=time.time(),
        job_id=job_id,
        webhook_url=url,
    )
    gateway.parts.uploads.add(row)
    return row


def make_all(gateway) -> None:
    webhooks = gateway.parts.webhooks
    for call in WebhookCalls(gateway.parts.database).claim():
        webhooks._make(call)


def calls_in(gateway) -> list[tuple[str, int, str | None]]:
    with gateway.parts.database.connect() as connection:
        rows = connection.execute(sa.select(CALLS).order_by(CALLS.c.video_id)).all()
    return [(row.state, row.attempts, row.error) for row in rows]


@pytest.fixture
async def gateway(tmp_path, monkeypatch):
    async def idle(_: Webhooks) -> None:
        await asyncio.Event().wait()

    # The test makes the calls itself, at its own times.
    monkeypatch.setattr(Webhooks, "run", idle)
    async with gateway_app(tmp_path, webhook_networks="127.0.0.0/8") as gateway:
        yield gateway


async def test_the_end_of_a_video_is_told_and_signed(gateway):
    with receiver() as server:
        row = ended_video(gateway, f"http://127.0.0.1:{server.server_port}/hook?a=1")
        make_all(gateway)
        make_all(gateway)
        ((headers, body),) = server.calls
    values = json.loads(body)
    assert (values["kind"], values["video"]["id"]) == ("video.done", row.id)
    assert headers["Trireel-Webhook-Id"] == values["id"]
    async with gateway.client() as client:
        secret = (await client.get("/v1/webhooks/secret")).json()["secret"]
    at, sent = (part.partition("=")[2] for part in headers["Trireel-Signature"].split(","))
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(sent, digest)
    assert abs(time.time() - int(at)) < 60
    assert calls_in(gateway) == [(CallState.DELIVERED, 1, None)]


async def test_a_call_is_repeated_until_it_is_accepted(gateway, monkeypatch):
    monkeypatch.setattr("trireel_app.jobs.webhook_calls.FIRST_PAUSE_SECONDS", 0.0)
    with receiver() as server:
        server.statuses = [500, 302]  # a redirect is not followed
        ended_video(gateway, f"http://127.0.0.1:{server.server_port}/")
        for _ in range(4):
            make_all(gateway)
        assert len(server.calls) == 3
        assert len({headers["Trireel-Webhook-Id"] for headers, _ in server.calls}) == 1
    assert calls_in(gateway) == [(CallState.DELIVERED, 3, None)]


async def test_a_server_that_is_away_is_given_up_at_last(gateway, monkeypatch):
    monkeypatch.setattr("trireel_app.jobs.webhook_calls.FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("trireel_app.jobs.webhook_calls.MOST_ATTEMPTS", 3)
    ended_video(gateway, "http://127.0.0.1:1/")
    for _ in range(5):
        make_all(gateway)
    ((state, attempts, error),) = calls_in(gateway)
    assert (state, attempts) == (CallState.GIVEN_UP, 3)
    assert "did not answer" in error


async def test_a_name_that_leads_inside_is_not_called(gateway):
    with receiver() as server:
        rules = WebhookRules((), lambda host, port: ["203.0.114.1", "10.0.0.5"])
        with pytest.raises(NotAllowed, match="not public"):
            rules.target(f"https://rebind.example:{server.server_port}/")
        ended_video(gateway, "http://192.168.1.1/")
        make_all(gateway)
        assert server.calls == []
    assert calls_in(gateway)[0][0] == CallState.GIVEN_UP


@pytest.mark.parametrize(
    ("address", "networks", "is_reached"),
    [
        ("93.184.215.14", "", True),
        ("127.0.0.1", "", False),
        ("::1", "", False),
        ("::ffff:10.0.0.1", "", False),
        ("169.254.169.254", "", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.2.0.0/16", False),
    ],
)
def test_only_public_and_allowed_addresses_are_reached(address, networks, is_reached):
    rules = WebhookRules(networks_of(networks), lambda host, port: [address])
    if is_reached:
        assert rules.target("https://host.example/").address == address
    else:
        with pytest.raises(NotAllowed):
            rules.target("https://host.example/")


def test_each_owner_and_each_time_has_its_own_signature():
    ours, theirs = secret_of("master", "anna"), secret_of("master", "ben")
    made = {signature(each, at, b"{}") for each in (ours, theirs) for at in (1, 2)}
    assert len(made) == 4
