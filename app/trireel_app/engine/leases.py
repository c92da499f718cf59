# SPDX-License-Identifier: Apache-2.0
"""Which workers live: each renews its lease in the database, and a lease that ends is noticed."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa

from trireel_app.engine.database import now_seconds

METADATA = sa.MetaData()
WORKERS = sa.Table(
    "trireel_workers",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("process", sa.Text, nullable=False),
    sa.Column("beat_at", sa.Double, nullable=False),
    sa.Column("lease_seconds", sa.Double, nullable=False),
)


@dataclass(frozen=True)
class ProcessIdentity:
    """A process of one machine, so that another process there can tell whether it lives."""

    machine: str
    """Boot of the machine and namespace of the process id; empty if they are not known."""
    process_id: int
    """Number of the process."""
    start_ticks: str
    """Time at which the process began, because numbers are used again."""

    @classmethod
    def own(cls) -> "ProcessIdentity":
        """Return the identity of this process."""
        return cls(_machine(), os.getpid(), _start_ticks(os.getpid()))

    def is_gone(self) -> bool:
        """Return True if the process certainly does not live: it ran on this machine."""
        if not self.machine or self.machine != _machine():
            return False
        return _start_ticks(self.process_id) != self.start_ticks


class Leases:
    """The leases of all workers of one database."""

    def __init__(self, database: sa.Engine, lease_seconds: float) -> None:
        self._database = database
        self.lease_seconds = lease_seconds
        self.worker_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"

    def renew(self) -> None:
        """Renew the lease of this worker; also makes it."""
        values = {
            "beat_at": now_seconds(self._database),
            "lease_seconds": self.lease_seconds,
        }
        with self._database.begin() as connection:
            renewed = connection.execute(
                sa.update(WORKERS).where(WORKERS.c.id == self.worker_id).values(values)
            )
            if renewed.rowcount == 0:  # its first, or one that others took for dead
                process = json.dumps(asdict(ProcessIdentity.own()))
                connection.execute(
                    sa.insert(WORKERS).values(id=self.worker_id, process=process, **values)
                )

    def end(self) -> None:
        """End the lease of this worker."""
        self.remove([self.worker_id])

    def living(self) -> set[str]:
        """Return the workers whose lease runs, without those whose process is gone."""
        left = WORKERS.c.beat_at + WORKERS.c.lease_seconds - now_seconds(self._database)
        with self._database.connect() as connection:
            rows = connection.execute(sa.select(WORKERS.c.id, WORKERS.c.process, left)).all()
        return {
            worker
            for worker, process, left_seconds in rows
            if left_seconds > 0 and not ProcessIdentity(**json.loads(process)).is_gone()
        }

    def known(self) -> set[str]:
        """Return the workers that have a lease, ended or not."""
        with self._database.connect() as connection:
            return set(connection.scalars(sa.select(WORKERS.c.id)))

    def remove(self, worker_ids: list[str]) -> None:
        """Remove leases that have ended."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.id.in_(worker_ids)))


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""  # then a lease has to end


def _start_ticks(process_id: int) -> str:
    """Return the start time of a process that runs; empty if there is none."""
    try:
        # The second field is a name that may hold spaces and brackets; the start is the 22nd.
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
