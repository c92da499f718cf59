# SPDX-License-Identifier: Apache-2.0
"""How a load test reaches its server: with TLS as without."""

import pytest
from typer.testing import CliRunner
from unit.client.loopback import SERVERS
from unit.client.scripted import Refused, Script, ServerTls, whole_video

from trireel_client._command.cli import app
from trireel_client._config import Address
from trireel_client.load_test.drive.connection import Connection


@pytest.mark.parametrize("protocol", SERVERS)
def test_the_command_talks_with_tls(papers, protocol):
    script = Script(answers={"video_analysis": lambda asked: whole_video()})
    with SERVERS[protocol](script, ServerTls(papers.loopback)) as url:
        done = CliRunner().invoke(
            app,
            [
                *("load-test", "--video", "a.mp4", "--server-path", "--url", url),
                *("--protocol", protocol, "--concurrency", "2"),
                *("--duration", "0.5", "--warm-up", "0", "--ca-file", papers.trusting().ca_file),
            ],
        )
    assert done.exit_code == 0, done.output
    assert "100.0%" in done.stdout


@pytest.mark.parametrize("protocol", SERVERS)
def test_configurations_are_asked_for_with_tls(papers, protocol):
    script = Script(parameters={"videos_in_flight": "3"})
    with SERVERS[protocol](script, ServerTls(papers.loopback)) as url:
        connection = Connection(Address.parse(url), protocol, papers.trusting())
        config = connection.model_configs(["video_analysis"])["video_analysis"]
    assert config["parameters"]["videos_in_flight"]["string_value"] == "3"


@pytest.mark.parametrize("protocol", SERVERS)
def test_what_a_server_does_not_tell_is_not_known(protocol):
    script = Script(parameters=Refused("PERMISSION_DENIED", 403))
    with SERVERS[protocol](script) as url:
        connection = Connection(Address.parse(url), protocol)
        assert connection.model_configs(["video_analysis"]) == {}
    assert connection.model_configs(["video_analysis"]) == {}  # nobody is there any more
