# SPDX-License-Identifier: Apache-2.0
"""The client's rooms stand on floors: imports go down only, and never in a circle."""

from pathlib import Path

from support.floors import PACKAGE, floors_violated, import_circle

import trireel_client

ROOT = Path(trireel_client.__file__).parent

FLOORS = (
    ("_errors", "_files", "_json", "_r0", "_cli_options", "_findings", "_servers", "_trace"),
    ("_option_tensors",),
    ("_config", "_options", "_results", "_captions", "_descriptions", "_sources"),
    ("_calls", "_caption_options", "_clips", "_timeline", "_guesses"),
    ("_page",),
    ("_flows", "_objects", "_transports"),
    ("_client", "_async_client"),
    (PACKAGE,),
    ("load_test", "load_test.errors", "load_test.statistics"),
    ("load_test.plan", "load_test.video_names"),
    ("load_test.drive", "load_test.watch"),
    ("load_test.judge",),
    ("load_test.show", "load_test.session"),
    ("load_test.command",),
    ("load_test.options",),
    ("_command",),
    ("__main__",),
)


def test_the_clients_imports_go_down() -> None:
    assert floors_violated(ROOT, FLOORS) == []


def test_the_client_has_no_import_circle() -> None:
    assert import_circle(ROOT) == []
