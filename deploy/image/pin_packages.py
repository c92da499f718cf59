# SPDX-License-Identifier: Apache-2.0
"""Write an image's requirements: every package with its version and the hash of its one file.

Asks the package index what fits the image's Python; versions are those of constraints.txt, but for
NumPy, which is held back there for the embedded server alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Folders of our own packages that each image builds, and extras of the last of them.
PACKAGES = {
    "image": (("schema", "python_backend"), ("container",)),
    "app": (("schema", "client", "app"), ("gateway", "traces")),
}
PYTHON = "3.12"  # of nvcr.io/nvidia/tritonserver:26.11-py3, on glibc 2.39, and of python:3.12-slim
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17")
HEADER = "# Written by deploy/image/pin_packages.py for Python {}, Linux {}; not to be edited.\n"


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", choices=PACKAGES, default="image", help="folder of deploy")
    parser.add_argument("--output", type=Path, help="folder of requirements*.txt")
    parser.add_argument("--machine", default="x86_64", help="architecture of the image")
    return parser


def wanted(image: str) -> dict[str, list[str]]:
    """Return for each file of an image the requirements it begins with."""
    packages, extras = PACKAGES[image]
    projects = [tomllib.loads((ROOT / name / "pyproject.toml").read_text()) for name in packages]
    own = {project["project"]["name"] for project in projects}
    needed = [line for project in projects for line in project["project"]["dependencies"]]
    for extra in extras:
        needed += projects[-1]["project"]["optional-dependencies"][extra]
    return {
        "requirements.txt": sorted({line for line in needed if line not in own}),
        "requirements-build.txt": projects[-1]["build-system"]["requires"],
    }


def resolve(requirements: Sequence[str], machine: str) -> list[str]:
    """Ask pip what it would install; return a line for each package, sorted."""
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    kept = [line for line in constraints if not line.startswith(("#", "numpy=="))]
    with tempfile.TemporaryDirectory() as folder:
        report, limits = Path(folder, "report.json"), Path(folder, "constraints.txt")
        limits.write_text("\n".join(kept))
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"),
                *("--report", str(report), "--target", folder, "--constraint", str(limits)),
                *("--only-binary=:all:", "--python-version", PYTHON),
                *(f"--platform={platform}_{machine}" for platform in PLATFORMS),
                *requirements,
            ],
            check=True,
        )
        found = json.loads(report.read_text())["install"]
    return sorted(_line(package) for package in found)


def _line(package: dict[str, object]) -> str:
    about, source = package["metadata"], package["download_info"]
    digest = source["archive_info"]["hashes"]["sha256"]
    return f"{about['name'].lower()}=={about['version']} --hash=sha256:{digest}"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files; return the exit status."""
    arguments = create_parser().parse_args(argv)
    folder = arguments.output or ROOT / "deploy" / arguments.image
    for name, requirements in wanted(arguments.image).items():
        lines = resolve(requirements, arguments.machine)
        path = folder / name
        path.write_text(HEADER.format(PYTHON, arguments.machine) + "\n".join(lines) + "\n")
        print(f"{path}: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
