# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI: each operation, called with what it describes and with what it does not."""

import re
from collections import Counter
from contextlib import suppress
from itertools import product
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from hypothesis.errors import Unsatisfiable
from starlette.testclient import TestClient
from support.gateway import gateway_of, gateway_settings, stored_video

ROOT = Path(__file__).parents[4]
EXAMPLES = 2  # of each kind for each operation
ENDLESS = "events"  # a stream that has no end
FAULTS = (500, 502)  # without a server 503 is right
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    hosts = ("testserver",)  # the name that schemathesis calls it by
    gateway = gateway_of(gateway_settings(tmp_path_factory.mktemp("schema"), hosts=hosts))
    return gateway, stored_video(gateway.parts)


@pytest.mark.slow  # a few hundred requests
def test_no_operation_has_a_fault(made):
    gateway, video = made
    api = schemathesis.openapi.from_asgi("/v1/openapi.json", gateway.app)
    operations = [found.ok() for found in api.exclude(path_regex=ENDLESS).get_all_operations()]
    counts = Counter()
    client = TestClient(gateway.app)
    for operation, mode in product(operations, schemathesis.GenerationMode):

        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        @SETTINGS
        def check(case):
            if "video_id" in case.path_parameters and case.method != "DELETE":
                case.path_parameters["video_id"] = video
            headers = {**dict(case.headers or {}), **key_of(gateway)}
            answer = case.call(headers=headers, session=client)
            assert answer.status_code not in FAULTS, answer.text
            if answer.status_code >= 400 and case.method != "HEAD":
                assert set(answer.json()) == {"error"}
                assert "Traceback" not in answer.text
            counts[answer.status_code] += 1

        with suppress(Unsatisfiable):  # without parameters there are no wrong ones
            check()
    client.close()
    assert len(operations) >= 15
    assert counts[200] >= 10
    assert counts[422] >= 10


def key_of(gateway):
    return {"Authorization": f"Bearer {gateway.admin_key}"}


def test_every_operation_says_what_it_does_and_who_may(made):
    paths = made[0].app.openapi()["paths"]
    operations = {
        (method, path): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    public = {path for (_, path), operation in operations.items() if "security" not in operation}
    assert all(operation.get("description") for operation in operations.values())
    assert public == {"/healthz", "/readyz", "/v1/session", "/v1/uploads"}
    assert "examples" in str(paths) or "example" in str(made[0].app.openapi()["components"])


def test_the_document_names_every_path_and_tests_that_are_there(made):
    text = (ROOT / "docs/gateway.md").read_text()
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 15
    assert [name for name in named if f"def {name}(" not in tests] == []
    ours = ("/v1/videos", "/v1/search", "/v1/session", "/v1/server", "/healthz", "/readyz")
    for path in made[0].app.openapi()["paths"]:
        if path.startswith(ours):
            assert path in text or path.endswith("/retry"), path
