# SPDX-License-Identifier: Apache-2.0
"""The image of the gateway and the workers, checked as far as it can be without building it."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/app"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
PACKAGES = ("schema", "client", "app")
EXTRAS = ("gateway", "traces")
PROJECTS = [
    tomllib.loads((ROOT / name / "pyproject.toml").read_text())["project"] for name in PACKAGES
]


def pins(name):
    lines = (FOLDER / name).read_text().splitlines()[1:]
    matches = [re.fullmatch(r"(\S+)==(\S+) --hash=sha256:[0-9a-f]{64}", line) for line in lines]
    return {canonicalize_name(match[1]): Version(match[2]) for match in matches}


def test_hadolint_has_nothing_to_say():
    done = subprocess.run(["hadolint", FOLDER / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_is_sent_but_what_is_copied():
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    sent = {path for path in exclude_paths(str(ROOT), patterns) if (ROOT / path).is_file()}
    copied = [
        path
        for words in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M)
        for path in words.split()[:-1]
    ]
    for path in copied:
        assert any(name == path or name.startswith(f"{path}/") for name in sent), path
    for name in sent - {".dockerignore", "Dockerfile"}:
        assert name.startswith(tuple(copied)), name
        assert "__pycache__" not in name
    for folder in ("app/trireel_app", "client/trireel_client", "schema/trireel_schema"):
        code = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py")}
        assert code <= sent


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-build.txt"])
def test_pins_are_the_versions_that_are_tested_here_but_for_numpy(name):
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    tested = {canonicalize_name(package): version for package, version in pairs}
    pinned = pins(name)
    assert {k for k, version in pinned.items() if str(version) != tested[k]} <= {"numpy"}


def test_the_pins_are_what_the_packages_need():
    own = {project["name"] for project in PROJECTS}
    needed = [line for project in PROJECTS for line in project["dependencies"]]
    for extra in EXTRAS:
        needed += PROJECTS[-1]["optional-dependencies"][extra]
    pinned = pins("requirements.txt")
    for requirement in map(Requirement, needed):
        if requirement.name not in own:
            assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_it_runs_as_a_user_without_rights_and_holds_no_secret():
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M) == ["1000:1000"]
    assert not re.search(r"(?i)password|secret|token|access_key", DOCKERFILE)
    assert "apt-get" not in DOCKERFILE
