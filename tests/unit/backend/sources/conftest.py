# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the sources: a spool with a web source."""

import pytest

from .fetcher import Fetcher


@pytest.fixture
def fetch(tmp_path):
    return Fetcher(tmp_path)
