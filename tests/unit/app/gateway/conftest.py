# SPDX-License-Identifier: Apache-2.0
"""A gateway for each test of the gateway."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.gateway import Gateway, gateway_app


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway_app(tmp_path) as running:
        yield running
