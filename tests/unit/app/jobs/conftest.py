# SPDX-License-Identifier: Apache-2.0
"""A place for jobs, on SQLite."""

from collections.abc import Iterator

import pytest
from unit.app.jobs.place import Place
from unit.client.loopback import SERVERS, Loopback
from unit.client.scripted import Script


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    script = Script()
    with SERVERS["grpc"](script) as url:
        place = Place(tmp_path, Loopback(url, "grpc", script), str(tmp_path / "jobs.sqlite"))
        yield place
        place.store.database.dispose()
