# SPDX-License-Identifier: Apache-2.0
"""Jobs of many videos before a real server: kills, take-over, S3 in and out, and no secrets."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psycopg
import pytest
from integration.conftest import served
from support.postgres import PASSWORD, postgres
from support.s3 import s3_server
from support.videos import numbered_frame, write_video

from trireel_app.engine.database import VARIABLE, open_database
from trireel_app.jobs.store import JobStore
from trireel_app.sources import buckets

CLIPS = 8
BROKEN = 4
LEASE_SECONDS = 3
S3_SECRET = "hunter2-of-s3"


@pytest.fixture(scope="module")
def environment():
    """The variables of all processes of this file: they lead to a server of S3."""
    with s3_server() as found, pytest.MonkeyPatch.context() as patch:
        for name, value in {**found, "AWS_SECRET_ACCESS_KEY": S3_SECRET}.items():
            patch.setenv(name, value)
        buckets.client.cache_clear()
        yield
        buckets.client.cache_clear()


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for number in range(CLIPS):
        path = folder / f"{number}.mp4"
        if number == BROKEN:
            path.write_text("I am not a video.")
        else:
            write_video(path, [numbered_frame((number + i // 10) % 256) for i in range(50)])
    return folder


@pytest.fixture(scope="module")
def server(environment, clips, tmp_path_factory):
    with served(clips, tmp_path_factory.mktemp("log")) as server:
        yield server


@contextmanager
def trireel(database, *arguments):
    """Run a command in a process that is killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "trireel_client", *map(str, arguments)],
        env={**os.environ, VARIABLE: str(database)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def kill_at(process, store, settled):
    """Kill a worker when so many videos are settled."""
    while sum(job.progress.settled for job in store.jobs()) < settled:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.kill()
    process.wait()


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_killed_batch_goes_on_and_gives_the_same_bytes(server, clips, tmp_path):
    options = ["--url", server.grpc_url, "--rows", "videos", "--quiet"]
    store = JobStore(open_database(str(tmp_path / "jobs.sqlite")))
    killed = ["batch", clips, "--output", tmp_path / "killed/out.jsonl", *options]
    slowly = ["--server-concurrency", 1]
    with trireel(tmp_path / "jobs.sqlite", *killed, *slowly) as process:
        kill_at(process, store, 3)
    assert 3 <= store.jobs()[0].progress.settled < CLIPS
    with trireel(tmp_path / "jobs.sqlite", *killed) as process:
        text, _ = process.communicate(timeout=120)
    assert process.returncode == 1, text  # one video is broken
    assert "goes on" in text
    plain = ["batch", clips, "--output", tmp_path / "plain/out.jsonl", *options]
    with trireel(tmp_path / "jobs.sqlite", *plain) as process:
        text, _ = process.communicate(timeout=120)
    files = files_in(tmp_path / "killed")
    assert files == files_in(tmp_path / "plain")
    rows = [json.loads(line) for line in files["out.jsonl"].splitlines()]
    expected = [str(clips / f"{number}.mp4") for number in range(CLIPS) if number != BROKEN]
    assert [row["video_path"] for row in rows] == expected
    manifest = json.loads(files["out.jsonl.manifest.json"])
    assert len(manifest["server"]["text_bank_sha256"]) == 64
    store.database.dispose()


def test_an_interrupted_batch_says_how_to_go_on(clips, tmp_path):
    nobody = ["batch", clips, "--output", tmp_path / "out.jsonl", "--url", "127.0.0.1:1"]
    with trireel(tmp_path / "jobs.sqlite", *nobody) as process:
        assert "begins" in process.stdout.readline()
        time.sleep(2)  # it waits for a server
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=30)
    assert process.returncode == 130, text
    assert "trireel jobs resume" in text
    assert "Traceback" not in text


def test_another_worker_takes_over_and_secrets_stay_secret(server, clips):
    client = buckets.client()
    client.create_bucket(Bucket="videos")
    for path in clips.iterdir():
        client.upload_file(str(path), "videos", f"in/{path.name}")
    texts = []
    with postgres() as database:
        store = JobStore(open_database(database.url))
        batch = ["batch", "s3://videos/in/*.mp4", "--output", "s3://videos/out/", "--detach"]
        with trireel(database.url, *batch) as process:
            texts.append(process.communicate(timeout=60)[0])
        work = ["worker", "--url", server.grpc_url, "--lease-seconds", LEASE_SECONDS]
        with (
            trireel(database.url, *work, "--server-concurrency", 1) as first,
            trireel(database.url, *work, "--until-idle") as second,
        ):
            kill_at(first, store, 2)
            texts.append(second.communicate(timeout=120)[0])
        assert second.returncode == 0, texts
        (job,) = store.jobs()
        assert (job.progress.done, job.progress.failed) == (CLIPS - 1, 1)
        texts.append(everything_in(database))
        store.database.dispose()
    names = ["part-00000.jsonl", "_manifest.json", "_failed.jsonl"]
    files = {name: buckets.read(f"s3://videos/out/{name}").decode() for name in names}
    rows = [json.loads(line)["video_path"] for line in files["part-00000.jsonl"].splitlines()]
    expected = [f"s3://videos/in/{n}.mp4" for n in range(CLIPS) if n != BROKEN]
    assert rows == expected
    for text in [*texts, *files.values(), server.log.read_text()]:
        assert PASSWORD not in text
        assert S3_SECRET not in text


def everything_in(database):
    """Return all that a database's tables hold, as text."""
    with psycopg.connect(database.url) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in"
            " ('public', 'trireel_engine')"
        ).fetchall()
        rows = [
            connection.execute(f'select t::text from "{schema}"."{table}" t').fetchall()
            for schema, table in tables
        ]
    text = repr(rows)
    assert "s3://videos/in/0.mp4" in text
    return text
