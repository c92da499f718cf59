# SPDX-License-Identifier: Apache-2.0
"""What several tests of the balancer want."""

import pytest


@pytest.fixture(params=["grpc", "http"])
def protocol(request) -> str:
    return request.param
