# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the command's tests."""

import pytest


@pytest.fixture
def plain_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print without colours, 100 columns wide."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
