# SPDX-License-Identifier: Apache-2.0
"""The scripts people call."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
SCRIPTS = [
    path
    for path in sorted((ROOT / "scripts").iterdir())
    if path.is_file() and path.read_text().startswith("#!/usr/bin/env bash\n")
]


def name_of(path):
    return path.name


def test_the_scripts_are_found():
    assert {"build_engine", "serve", "test"} <= {path.name for path in SCRIPTS}


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_is_clean(path):
    done = subprocess.run(
        [SHELLCHECK, "-x", "-P", "SCRIPTDIR", path], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_can_be_run_and_stops_at_the_first_failure(path):
    assert os.access(path, os.X_OK)
    assert re.search(r"^set -euo pipefail$", path.read_text(), re.M)
