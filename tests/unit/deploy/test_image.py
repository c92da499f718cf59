# SPDX-License-Identifier: Apache-2.0
"""The image's Dockerfile and packages: what cannot be built here is checked as far as it can be."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/image"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "python_backend/pyproject.toml").read_text())["project"]
SCHEMA = tomllib.loads((ROOT / "schema/pyproject.toml").read_text())["project"]
NEEDED = {*PROJECT["dependencies"], *SCHEMA["dependencies"]} - {SCHEMA["name"]}
BUILD = tomllib.loads((ROOT / "python_backend/pyproject.toml").read_text())["build-system"]
FILES = ["requirements.txt", "requirements-build.txt"]


def instructions():
    """Return the Dockerfile's instructions, each with its words on one line."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def last(name):
    return [words for instruction, words in instructions() if instruction == name][-1]


def copied():
    """Return the paths that are copied from the repository."""
    copies = [words.split() for name, words in instructions() if name == "COPY"]
    return [path for words in copies if not words[0].startswith("--from") for path in words[:-1]]


def pins(name):
    lines = (FOLDER / name).read_text().splitlines()[1:]
    matches = [re.fullmatch(r"(\S+)==(\S+) --hash=sha256:[0-9a-f]{64}", line) for line in lines]
    return {match[1]: Version(match[2]) for match in matches}


@pytest.fixture(scope="module")
def context():
    """Return what Docker would send to its builder, by the rules of .dockerignore."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    paths = exclude_paths(str(ROOT), patterns, dockerfile="deploy/image/Dockerfile")
    return {path for path in paths if (ROOT / path).is_file()}


def test_hadolint_has_nothing_to_say():
    done = subprocess.run(["hadolint", FOLDER / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_is_there_and_is_sent(context, path):
    assert (ROOT / path).exists()
    assert any(sent == path or sent.startswith(f"{path}/") for sent in context)


def test_nothing_else_is_sent(context):
    extra = {"deploy/image/Dockerfile", ".dockerignore"}
    for path in context - extra:
        assert any(path == root or path.startswith(f"{root}/") for root in copied()), path
        assert not re.search(
            r"__pycache__|\.egg-info|_cache/|^model_repository/.*model\.(onnx|plan)$", path
        )


def test_all_of_the_packages_code_and_of_the_models_is_sent(context):
    tracked = {
        *(ROOT / "python_backend/trireel_backend").rglob("*.py"),
        *(ROOT / "schema/trireel_schema").rglob("*.py"),
        *(ROOT / "model_repository").rglob("*.pbtxt"),
        *(ROOT / "model_repository").rglob("model.py"),
        # Triton wants a version folder for an ensemble too, and git none that is empty.
        *(ROOT / "model_repository").rglob("README"),
    }
    assert {str(path.relative_to(ROOT)) for path in tracked} <= context


def test_the_base_is_one_release_of_triton():
    (argument,) = re.findall(r"^ARG TRITON_IMAGE=(.*)$", DOCKERFILE, re.MULTILINE)
    release = re.fullmatch(r"nvcr\.io/nvidia/tritonserver:(\d\d)\.(\d\d)-py3", argument)
    assert (int(release[1]), int(release[2])) >= (26, 8)
    bases = [words for name, words in instructions() if name == "FROM"]
    assert {base.split()[0] for base in bases} == {"${TRITON_IMAGE}"}


def test_it_runs_as_a_user_without_rights_that_owns_what_it_writes_to():
    assert last("USER") == "1000:1000"
    assert "--owner=1000 --group=1000 /spool /engines" in DOCKERFILE


@pytest.mark.parametrize("instruction", ["ENTRYPOINT", "HEALTHCHECK"])
def test_its_commands_are_the_packages_own_and_need_no_shell(instruction):
    words = last(instruction)
    (command,) = json.loads(words[words.index("[") :])
    assert command in PROJECT["scripts"]


def test_signals_and_ports_are_the_commands():
    assert last("STOPSIGNAL") == "SIGTERM"
    assert last("EXPOSE") == "8000 8001 8002"


def test_the_environment_hides_the_base_images_packages_and_tells_nobody_what_runs():
    environment = dict(pair.split("=", 1) for pair in last("ENV").split())
    assert environment["PATH"].startswith("/opt/trireel/venv/bin:/opt/trireel/scripts:")
    assert environment["PYTHONPATH"] == ""
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"


def test_no_secret_and_no_cache_is_left():
    assert not re.search(r"(?i)password|secret|token|access_key", DOCKERFILE)
    installs = re.findall(r"-m pip .*?install (\S+)", DOCKERFILE)
    assert set(installs) == {"--no-cache-dir"}
    assert "apt-get" not in DOCKERFILE


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_with_its_hash(name):
    assert len(pins(name)) == len((FOLDER / name).read_text().splitlines()) - 1


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "requirements.txt",
            [*sorted(NEEDED), *PROJECT["optional-dependencies"]["container"]],
        ),
        ("requirements-build.txt", BUILD["requires"]),
    ],
)
def test_the_pins_are_what_the_package_needs(name, wanted):
    pinned = pins(name)
    for requirement in map(Requirement, wanted):
        assert pinned[requirement.name] in requirement.specifier, requirement


def test_the_pins_are_the_versions_that_are_tested_here_but_for_numpy():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    tested = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    for name in FILES:
        differing = {k for k, version in pins(name).items() if str(version) != tested[k]}
        assert differing <= {"numpy"}
    assert pins("requirements.txt")["numpy"].major == 2


def test_the_script_that_pins_asks_for_what_the_files_hold():
    """The rest of it needs the package index; what it prints is checked by the tests above."""
    done = subprocess.run(
        [sys.executable, FOLDER / "pin_packages.py", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "--machine" in done.stdout
