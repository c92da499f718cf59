# SPDX-License-Identifier: Apache-2.0
"""What scripts/demo does: start the server, analyse the bundled video through gRPC, stop."""

import argparse
import subprocess
import sys
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.ports import Ports
from trireel_backend.launch.server import RunningServer
from trireel_backend.launch.signals import unwind_on_signals

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "media/sample.mp4"


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the answer to FILE")
    return parser


def analyze_sample(server: RunningServer, answer: Path | None) -> int:
    """Run the client's own command on the sample; return its exit status."""
    command = [sys.executable, "-m", "trireel_client", "analyze", SAMPLE]
    command += ["--url", f"127.0.0.1:{server.ports.grpc}", "--protocol", "grpc"]
    if answer is not None:
        command += ["--output", answer]
    return subprocess.run([str(part) for part in command]).returncode


def main() -> int:
    """Run the demo; return the exit status."""
    arguments = create_parser().parse_args()
    unwind_on_signals()
    options = ServerOptions(
        models=ROOT / "model_repository",
        export=ROOT / "export/tiny/model",
        media_root=SAMPLE.parent,
        ports=Ports.free(),
    )
    print("Starting Triton on loopback ...", file=sys.stderr)
    try:
        with embedded_server(options) as server:
            print(
                f"Triton {server.version} is ready with {server.models} models"
                f" (checkpoint {server.metadata.checkpoint}).",
                file=sys.stderr,
            )
            return analyze_sample(server, arguments.json)
    except StartupError as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
