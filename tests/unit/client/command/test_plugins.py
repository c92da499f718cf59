# SPDX-License-Identifier: Apache-2.0
"""Commands that other installed packages add to `trireel` by entry points."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GREETING = """
import typer

def hello(name: str, loud: bool = False) -> None:
    "Greet someone."
    print(f"hello {name}" + "!" * loud)

app = typer.Typer()

@app.command()
def first() -> None:
    "Do the first thing."
    print("first")

@app.command()
def second() -> None:
    print("second")
"""


class Packages:
    """A folder of installed packages, and the command in a process that sees them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self, package: str, commands: dict[str, str], code: str = "") -> None:
        """Install a package of one module, which has the package's name."""
        (self._folder / f"{package}.py").write_text(code)
        info = self._folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {target}" for name, target in commands.items()]
        (info / "entry_points.txt").write_text("\n".join(["[trireel.commands]", *lines, ""]))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `trireel` with arguments."""
        folders = [str(self._folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "from trireel_client._command.cli import app; app()",
                *arguments,
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(folders), "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def packages(tmp_path: Path) -> Packages:
    return Packages(tmp_path)


def test_a_function_becomes_a_command(packages: Packages) -> None:
    packages.install("greeting", {"hello": "greeting:hello"}, GREETING)
    done = packages.run("hello", "world", "--loud")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello world!\n", "")


def test_an_app_becomes_a_command_with_commands(packages: Packages) -> None:
    packages.install("greeting", {"greet": "greeting:app"}, GREETING)
    done = packages.run("greet", "second")
    assert (done.returncode, done.stdout) == (0, "second\n")
    assert "Do the first thing." in packages.run("greet", "--help").stdout


def test_help_names_the_package_and_imports_nothing(packages: Packages) -> None:
    packages.install("greeting", {"hello": "greeting:hello"}, "raise RuntimeError('imported')")
    done = packages.run("--help")
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if " hello " in line)
    assert "Command of the package greeting." in line
    assert "analyze" in done.stdout


@pytest.mark.parametrize(
    ("target", "code", "reason"),
    [
        ("broken:app", "raise RuntimeError('no\\nlicence')", "RuntimeError: no licence"),
        ("broken:missing", "", "AttributeError: "),
        ("nowhere:app", "", "ModuleNotFoundError: No module named 'nowhere'"),
        ("broken:number", "number = 3", "TypeError: got 3, which is neither"),
        ("broken:app", "raise SystemExit(7)", "SystemExit: 7"),
    ],
)
def test_a_broken_package_is_one_sentence_of_its_command(
    packages: Packages, target: str, code: str, reason: str
) -> None:
    packages.install("broken", {"bad": target}, code)
    packages.install("greeting", {"hello": "greeting:hello"}, GREETING)
    done = packages.run("bad")
    assert (done.returncode, done.stdout) == (1, "")
    sentence = "trireel: the command 'bad' of the package broken cannot be loaded: "
    assert done.stderr.startswith(sentence + reason)
    assert done.stderr.count("\n") == 1
    assert packages.run("hello", "world").stdout == "hello world\n"


def test_a_command_of_this_package_cannot_be_replaced(packages: Packages) -> None:
    packages.install("greeting", {"status": "greeting:hello"}, GREETING)
    assert "which of its models are ready" in packages.run("status", "--help").stdout


def test_two_packages_with_one_command_are_told(packages: Packages) -> None:
    for package in ("greeting", "salute"):
        packages.install(package, {"hello": f"{package}:hello"}, GREETING)
    done = packages.run("hello", "world")
    assert done.returncode == 1
    assert done.stderr.startswith("trireel: the command 'hello' is in more than one package (")
    assert "greeting" in done.stderr
    assert "salute" in done.stderr
    assert "Usage: " in packages.run("--help").stdout
