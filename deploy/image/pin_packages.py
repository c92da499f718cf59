# SPDX-License-Identifier: Apache-2.0
"""Write the image's requirements: every package with its version and the hash of its one file.

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

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES = ("schema", "python_backend")  # folders of our own packages, which the image builds
PYTHON = "3.12"  # of nvcr.io/nvidia/tritonserver:26.11-py3, on glibc 2.39
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17")
HEADER = "# Written by deploy/image/pin_packages.py for Python {}, Linux {}; not to be edited.\n"


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HERE, help="folder of requirements*.txt")
    parser.add_argument("--machine", default="x86_64", help="architecture of the image")
    return parser


def wanted() -> dict[str, list[str]]:
    """Return for each file to be written the requirements it begins with."""
    projects = [tomllib.loads((ROOT / name / "pyproject.toml").read_text()) for name in PACKAGES]
    own = {project["project"]["name"] for project in projects}
    needed = [line for project in projects for line in project["project"]["dependencies"]]
    needed += projects[-1]["project"]["optional-dependencies"]["container"]
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
    for name, requirements in wanted().items():
        lines = resolve(requirements, arguments.machine)
        path = arguments.output / name
        path.write_text(HEADER.format(PYTHON, arguments.machine) + "\n".join(lines) + "\n")
        print(f"{path}: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
