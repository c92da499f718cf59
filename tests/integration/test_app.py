# SPDX-License-Identifier: Apache-2.0
"""`trireel app` before a real server: uploads, progress, kills of its parts, a clean end."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from support.videos import numbered_frame, write_video

from trireel_app.index.feed import MORE_FINDINGS
from trireel_app.library import Library
from trireel_app.library.from_analysis import NOT_REPRODUCIBLE
from trireel_client import TrireelClient
from trireel_schema.catalogue import DEFAULT_FINDINGS

from .conftest import SERVED_FINDINGS

WAIT_SECONDS = 120
CLIPS = 6


@dataclass(frozen=True)
class App:
    """An app that runs."""

    process: subprocess.Popen
    folder: Path
    client: httpx.Client

    def send(self, path: Path) -> dict:
        with path.open("rb") as file:
            answer = self.client.post("/v1/videos", files={"file": (path.name, file)})
        assert answer.status_code == 202, answer.text
        return answer.json()

    def child(self, word: str) -> int:
        """Return the process id of a part by a word of its command; waits until it is there."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            for child in map(int, tasks.read_text().split()):
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                if word.encode() in words:
                    return child
            time.sleep(0.1)
        raise TimeoutError(f"there is no {word}")

    def ended(self, count: int) -> list[dict]:
        """Return the videos when so many have ended; the gateway may be away meanwhile."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                videos = self.client.get("/v1/videos").json()["videos"]
                ended = [each for each in videos if each["state"] in ("done", "failed")]
                if len(ended) == count:
                    return ended
            except httpx.TransportError:
                pass
            time.sleep(0.3)
        raise TimeoutError(f"not all have ended: {[each['state'] for each in videos]}")


@pytest.fixture(autouse=True)
def no_unexpected_errors_in_the_log():
    """Look at no log: Triton reports an error if a client is killed whose stream is open."""


@pytest.fixture(scope="module")
def app(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    command = [sys.executable, "-m", "trireel_client", "app", "--port", "0", "--folder", folder]
    process = subprocess.Popen(
        [*map(str, command), "--url", server.grpc_url], stdout=subprocess.PIPE, text=True
    )
    try:
        address, _, key = process.stdout.readline().strip().partition("/#key=")
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
            yield App(process, folder, client)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_an_upload_is_followed_to_its_result(app, server):
    video = app.send(server.media / "sample.mp4")
    kinds, cuts = [], []
    path = f"/v1/videos/{video['id']}/events"
    with app.client.stream("GET", path, timeout=WAIT_SECONDS) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                kinds.append(event["kind"])
                if event["kind"] == "scene":
                    cuts.append(event["data"]["seconds"])
                if event["kind"] == "done":
                    break
    assert kinds[0] == "state"
    assert {"progress", "scene", "tags", "done"} <= set(kinds)
    with TrireelClient(server.grpc_url) as client:
        find = [*DEFAULT_FINDINGS, *(f for f in MORE_FINDINGS if f in SERVED_FINDINGS)]
        plain = client.analyze(server.media / "sample.mp4", find=find).to_json_dict()
    for name in NOT_REPRODUCIBLE:
        plain.pop(name)
    kept = dict(Library(app.folder / "library").record(video["id"]).answer)
    assert kept.pop("format_version", 1) == 1
    # The answer that was watched chunk by chunk is the plain one.
    assert json.dumps(kept, sort_keys=True) == json.dumps(plain, sort_keys=True)
    assert cuts == [change["timestamp_seconds"] for change in plain["scene_changes"]]
    shown = app.client.get(f"/v1/videos/{video['id']}").json()
    assert (shown["state"], shown["num_scenes"]) == ("done", len(plain["shots"]))
    assert shown["tags"][0]["text"] == plain["tags"][0]["text"]


def test_killed_parts_lose_no_video(app, tmp_path):
    before = len(app.client.get("/v1/videos").json()["videos"])
    for number in range(CLIPS):
        path = tmp_path / f"{number}.mp4"
        if number == 2:  # it looks like a video, and is none
            path.write_bytes(b"\0\0\0\x20ftypisom" + os.urandom(20_000))
        else:
            write_video(path, [numbered_frame((number + i // 10) % 256) for i in range(50)])
        app.send(path)
        if number == 1:
            os.kill(app.child("worker"), signal.SIGKILL)
    os.kill(app.child("gateway"), signal.SIGKILL)
    ended = app.ended(before + CLIPS)
    failed = [each for each in ended if each["state"] == "failed"]
    assert [each["name"] for each in failed] == ["2.mp4"]
    assert failed[0]["error"]
    assert app.process.poll() is None


def test_a_folder_has_one_app(app):
    command = [sys.executable, "-m", "trireel_client", "app", "--folder", str(app.folder)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 2
    assert "runs already" in second.stderr
    assert (app.folder / "key").stat().st_mode & 0o077 == 0


def test_one_interrupt_ends_everything(app):
    children = [app.child(word) for word in ("worker", "gateway")]
    app.process.send_signal(signal.SIGINT)
    assert app.process.wait(40) == 0
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
