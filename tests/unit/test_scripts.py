# SPDX-License-Identifier: Apache-2.0
"""Which paths the scripts can run from."""

import shutil
import subprocess
from pathlib import Path

import pytest

ENVIRONMENT = Path(__file__).parents[2] / "scripts/_environment.sh"


def sourced(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Source the scripts' common part in a checkout of that name."""
    scripts = folder / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(ENVIRONMENT, scripts)
    (scripts / "demo").write_text('source "$(dirname "${BASH_SOURCE[0]}")/_environment.sh"\n')
    command = ["bash", "-euc", 'source "$1"; echo "$VENV"', "-", scripts / "demo"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["tri reel's ü", "a(b)&c;d", "[x]*?", "~tilde#%"])
def test_a_checkout_with_spaces_and_umlauts(tmp_path: Path, name: str) -> None:
    assert sourced(tmp_path / name).stdout == f"{tmp_path / name}/.venv\n"


@pytest.mark.parametrize("name", ['say "ü"', "a:b", "a$b", "a`b", "a\\b", "a\nb"])
def test_a_checkout_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    done = sourced(tmp_path / name)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "cannot be used: move it to another folder." in done.stderr
