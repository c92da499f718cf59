# SPDX-License-Identifier: Apache-2.0
"""Leases of workers, and the database that holds them."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from trireel_app.engine.database import now_seconds, open_database, shown
from trireel_app.engine.leases import METADATA, WORKERS, Leases, ProcessIdentity
from trireel_app.errors import InvalidOption


@pytest.fixture
def database(tmp_path):
    database = open_database(str(tmp_path / "new/jobs.sqlite"))
    METADATA.create_all(database)
    yield database
    database.dispose()


def silent(database, worker_id: str, seconds: float, process: ProcessIdentity) -> None:
    """Add a worker that has been silent for so long."""
    with database.begin() as connection:
        connection.execute(
            sa.insert(WORKERS).values(
                id=worker_id,
                process=json.dumps(asdict(process)),
                beat_at=now_seconds(database) - seconds,
                lease_seconds=10.0,
            )
        )


def test_a_lease_ends_unless_it_is_renewed(database):
    own = ProcessIdentity.own()
    elsewhere = replace(own, machine="another")
    silent(database, "late", 11, elsewhere)
    silent(database, "slow", 9, elsewhere)
    leases = Leases(database, 10.0)
    leases.renew()
    assert leases.known() == {"late", "slow", leases.worker_id}
    assert leases.living() == {"slow", leases.worker_id}
    leases.end()
    leases.renew()  # others took it for dead
    assert leases.worker_id in leases.living()


def test_a_process_of_this_machine_that_is_gone_is_noticed(database):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stat = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    process = replace(ProcessIdentity.own(), process_id=child.pid, start_ticks=stat[19])
    silent(database, "child", 0, process)
    leases = Leases(database, 10.0)
    assert leases.living() == {"child"}
    child.kill()
    child.communicate()
    assert leases.living() == set()
    assert not replace(process, machine="another").is_gone()  # only its own machine can tell
    assert replace(ProcessIdentity.own(), start_ticks="1").is_gone()  # a number used again


def test_a_file_is_made_to_be_shared(database):
    with database.connect() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma busy_timeout").scalar() == 30_000


def test_a_password_is_not_shown():
    database = open_database("postgresql://me:hunter2@127.0.0.1:1/jobs")
    assert shown(database) == "postgresql+psycopg://me:***@127.0.0.1:1/jobs"


@pytest.mark.parametrize("url", ["mysql://me:hunter2@host/jobs", "sqlite://", "postgres ql://x"])
def test_other_databases_are_rejected(url):
    with pytest.raises(InvalidOption) as rejected:
        open_database(url)
    assert "hunter2" not in str(rejected.value)
