# SPDX-License-Identifier: Apache-2.0
"""The gateway's command before the real server: results, search, own tags, TLS, its end."""

import csv
import json
import signal
import socket
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
import typer
from support.app_process import app_process
from support.certificates import Authority
from typer.testing import CliRunner

from trireel_app.commands.gateway import gateway as gateway_command
from trireel_app.engine.database import open_database
from trireel_app.gateway.access.keys import SCOPES, KeyStore
from trireel_app.index.keeper import Keeper
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.uploads import UploadRow, Uploads, UploadState, new_id
from trireel_app.library import Library, record_of
from trireel_client import TrireelClient
from trireel_client._timeline.pictures import jpeg

from .conftest import SAMPLE

STOP_SECONDS = 20
TAGS = ["a red circle", "a beach at sunset", "text on paper"]


@dataclass(frozen=True)
class Owned:
    """A folder with a library, in which an owner has the sample."""

    folder: str
    database: str
    library: str
    video: str
    key: str
    admin_key: str

    @property
    def arguments(self):
        return [f"--database={self.database}", f"--library={self.library}", "--port=0"]


@pytest.fixture(scope="module")
def owned(server, tmp_path_factory):
    """Analyse the sample into a library, and give it to an owner."""
    folder = tmp_path_factory.mktemp("gateway")
    database, library = folder / "jobs.sqlite", folder / "library"
    (folder / "uploads").mkdir()
    video = new_id()
    path = folder / "uploads" / video
    path.write_bytes(SAMPLE.read_bytes())
    with TrireelClient(server.grpc_url) as client:
        analysis = client.analyze(SAMPLE, with_embeddings=True)
        weights = client.server_details().weights_sha256
        pictures = [jpeg(picture) for picture in client.thumbnails(SAMPLE, analysis)]
    record = record_of(str(path), analysis, weights, thumbnails=pictures)
    keeper = Keeper(Library(library))
    keeper.put(type(record)(**{**vars(record), "video_id": video}))
    keeper.maintain()
    engine = open_database(str(database))
    JobStore(engine)
    row = UploadRow(
        id=video,
        owner="anna",
        name="sample.mp4",
        uri=str(path),
        path=str(path),
        state=UploadState.DONE,
        created_at=time.time(),
    )
    Uploads(engine).add(row)
    keys = KeyStore(engine)
    key, admin_key = keys.create("anna"), keys.create("anna", SCOPES)
    engine.dispose()
    return Owned(str(folder), str(database), str(library), video, key, admin_key)


@contextmanager
def gateway(owned, *arguments):
    """Run the command; yield its process and its address."""
    uploads = f"--uploads={owned.folder}/uploads"
    running = app_process("gateway", *owned.arguments, uploads, *arguments, folder=owned.folder)
    with running as (process, line):
        assert line.startswith("http"), line + process.stderr.read()
        yield process, line


@pytest.fixture(scope="module")
def api(owned, server):
    with gateway(owned, f"--url={server.grpc_url}") as (_, url):
        headers = {"Authorization": f"Bearer {owned.key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            yield client


def test_a_result_is_what_the_command_prints(api, owned, server):
    with TrireelClient(server.grpc_url) as client:
        expected = json.loads(json.dumps(client.analyze(SAMPLE).to_json_dict()))
    found = api.get(f"/v1/videos/{owned.video}/result").json()
    for name in ("shots", "scene_changes", "tags", "caption", "time_base", "duration_seconds"):
        assert found[name] == expected[name]
    assert len(found["chunks"]) == len(expected["chunks"])
    assert "embedding" not in found["chunks"][0]


def test_words_find_the_right_scene(api, owned):
    scenes = api.get(f"/v1/videos/{owned.video}/result").json()["shots"]
    for scene in scenes:
        words = scene["caption"]["text"]
        moments = api.get("/v1/search", params={"q": words, "limit": 3}).json()["moments"]
        times = [moment["best_seconds"] for moment in moments]
        assert any(scene["start_seconds"] <= at < scene["end_seconds"] for at in times), words
        assert 0 <= moments[0]["probability"] <= 1
        assert moments[0]["video"] == owned.video


def test_a_picture_finds_its_scene(api, owned):
    picture = api.get(f"/v1/videos/{owned.video}/scenes/1/thumbnail")
    assert picture.headers["content-type"] == "image/jpeg"
    found = api.post("/v1/search", files={"file": ("a.jpg", picture.content)}).json()["moments"]
    assert found[0]["scene_index"] == 1


def test_own_tags_score_as_on_the_server(api, owned, server):
    found = api.post(f"/v1/videos/{owned.video}/tags", json={"tags": TAGS}).json()
    with TrireelClient(server.grpc_url) as client:
        expected = client.analyze(SAMPLE, tags=TAGS, top_k=len(TAGS))
    assert [tag["text"] for tag in found["tags"]] == [tag.text for tag in expected.tags]
    for ours, theirs in zip(found["tags"], expected.tags, strict=True):
        assert abs(ours["probability"] - theirs.probability) < 1e-6
    frames = found["frames"]
    assert len(frames["probabilities"]) == len(TAGS)
    assert {len(row) for row in frames["probabilities"]} == {len(frames["pts_seconds"])}
    times = [t for chunk in expected.chunks for t in chunk.frame_timestamps_seconds]
    assert frames["pts_seconds"] == times


def test_a_scene_list_has_the_scenes_of_the_server(api, owned):
    scenes = api.get(f"/v1/videos/{owned.video}/result").json()["shots"]
    text = api.get(f"/v1/videos/{owned.video}/exports/scenes.csv").text
    rows = list(csv.reader(text.splitlines()))
    assert rows[-1][0] == str(len(scenes))
    cuts = api.get(f"/v1/videos/{owned.video}/exports/scenes.edl").text
    assert cuts.count(" V ") >= len(scenes)


def test_the_server_and_its_checkpoint_are_shown(api, owned, server):
    found = api.get("/v1/server").json()
    assert [one["ready"] for one in found["servers"]] == [True]
    assert found["findings"]
    assert found["checkpoint"]
    assert found["ready"] is False  # no worker lives
    assert server.grpc_url not in json.dumps(found)


def test_it_ends_at_once_when_it_is_told_to(owned):
    with gateway(owned) as (process, url):
        assert httpx.get(f"{url}/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=STOP_SECONDS)
        assert process.returncode in (0, -signal.SIGTERM)
        assert "Traceback" not in rest


def test_a_listener_does_not_hold_up_its_end(owned):
    headers = {"Authorization": f"Bearer {owned.key}"}
    with gateway(owned) as (process, url), httpx.Client(timeout=30) as client:
        events = client.stream("GET", f"{url}/v1/events", headers=headers)
        with events as answer:
            assert answer.status_code == 200
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=STOP_SECONDS)


def test_tls_is_an_option(owned, tmp_path):
    authority = Authority(tmp_path)
    own = authority.sign("server", "127.0.0.1")
    options = [f"--tls-certificate={own.certificate}", f"--tls-key={own.key}"]
    with gateway(owned, *options) as (_, url):
        assert url.startswith("https://")
        trusted = ssl.create_default_context(cafile=authority.certificate)
        with httpx.Client(base_url=url, verify=trusted) as client:
            answer = client.post("/v1/session", json={"key": owned.key})
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/healthz")
    assert "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers


def test_metrics_have_a_port_of_their_own(owned):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with gateway(owned, f"--metrics-port={port}") as (_, url):
        httpx.get(f"{url}/healthz")
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'trireel_gateway_requests_total{method="GET",route="/healthz",status="200"} 1.0' in text


def test_what_cannot_work_is_one_sentence(owned, tmp_path):
    app = typer.Typer()
    app.command()(gateway_command)
    uploads = f"--uploads={tmp_path}"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for argument, words in (
            (f"--port={taken.getsockname()[1]}", "in use"),
            ("--database=mysql://x/y", "mysql"),
            (f"--tls-key={SAMPLE}", "give both or none"),
            ("--url=nowhere", "host:port"),
        ):
            done = CliRunner().invoke(app, [*owned.arguments, uploads, argument])
            assert done.exit_code in (1, 2)
            assert words in done.stderr.lower()
