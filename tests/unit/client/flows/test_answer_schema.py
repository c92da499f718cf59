# SPDX-License-Identifier: Apache-2.0
"""The JSON of an answer against docs/answer.schema.json, and under older names."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from typer.testing import CliRunner
from unit.client.loopback import Loopback
from unit.client.scripted import Tensors, bytes_of, whole_video

from trireel_client import ServerInfo
from trireel_client._command.cli import app
from trireel_client._flows.parse import parse_analysis
from trireel_client._results import SCHEMA_VERSION
from trireel_schema.catalogue import DEFAULT_FINDINGS

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/answer.schema.json").read_text())
QUALITY = {
    "CHUNK_QUALITY_BLACK_SHARES": np.array([0.0, 0.375, 0.0], np.float32),
    "CHUNK_QUALITY_FROZEN_SHARES": np.zeros(3, np.float32),
    "CHUNK_QUALITY_SHARPNESS": np.array([812.5, 3.0, 4.0], np.float32),
    "CHUNK_QUALITY_LUMAS": np.array([101.25, 16.0, 99.0], np.float32),
    "QUALITY_BLACK_INTERVALS": np.array([[11.25, 15.0], [17.5, 20.0]]),
    "QUALITY_FREEZE_INTERVALS": np.zeros((0, 2)),
}
CHECKPOINT = {"CHECKPOINT": bytes_of(["toy"]), "CHECKPOINT_NOTE": bytes_of(["A toy."])}
FACTS = {"FRAME_RATE": np.array([30000, 1001]), "PICTURE_SIZE_PX": np.array([640, 360], np.int32)}


def json_of(tensors: Tensors, findings=DEFAULT_FINDINGS, names="trireel"):
    server = ServerInfo("triton", "2.51.0")
    analysis = parse_analysis(tensors, findings, stream_id="id", server=server, client_ms=50.0)
    return json.loads(json.dumps(analysis.to_json_dict(names)))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    version = SCHEMA["$defs"]["analysis"]["properties"]["schema_version"]["const"]
    assert version == SCHEMA_VERSION


@pytest.mark.parametrize(
    ("tensors", "findings"),
    [
        (whole_video(), DEFAULT_FINDINGS),
        (whole_video(with_embeddings=True), DEFAULT_FINDINGS),
        ({**whole_video(), **QUALITY, **CHECKPOINT, **FACTS}, ("tags", "quality")),
        (whole_video(1), ("caption",)),
    ],
)
def test_answers_fit_the_schema(tensors: Tensors, findings: tuple[str, ...]) -> None:
    answer = json_of(tensors, findings)
    jsonschema.validate(answer, SCHEMA)
    for missing in ("schema_version", "chunks", "is_complete"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({k: v for k, v in answer.items() if k != missing}, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**answer, "unknown": 1}, SCHEMA)


def test_names_follow_the_tensors() -> None:
    answer = json_of(whole_video())
    assert answer["schema_version"] == 1
    assert answer["scene_changes"][0]["timestamp_seconds"] == 13.75
    assert answer["timing"]["fetch_ms"] == 1.0
    assert answer["chunks"][1]["start_seconds"] == 10.0
    assert answer["caption"]["text"] == "A person cooking"


def test_the_older_names_have_the_same_values() -> None:
    answer, older = json_of(whole_video()), json_of(whole_video(), names="r0")
    assert older["video_duration"] == answer["duration_seconds"]
    assert older["timing_ms"]["s3_download"] == answer["timing"]["fetch_ms"]
    assert older["chunks"][2]["retrieval_caption"] == answer["chunks"][2]["caption"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(older, SCHEMA)


@pytest.mark.parametrize("option", [["--json=r0"], ["--json-names", "r0", "--json"]])
def test_the_command_prints_the_older_names(
    grpc_only: Loopback, video: str, option: list[str]
) -> None:
    grpc_only.script.answers["video_analysis"] = lambda asked: whole_video()
    where = ["--url", grpc_only.url]
    result = CliRunner().invoke(app, ["analyze", *option, video, *where])
    assert json.loads(result.stdout)["video_duration"] == 30.0
    result = CliRunner().invoke(app, ["analyze", "--json", video, "no.mp4", *where])
    answered, failed = map(json.loads, result.stdout.splitlines())
    jsonschema.validate(answered, SCHEMA)
    jsonschema.validate(failed, SCHEMA)
    assert failed.keys() == {"video", "error"}


def test_names_that_there_are_not() -> None:
    result = CliRunner().invoke(app, ["analyze", "--json=r9", "a.mp4"])
    assert result.exit_code == 2
    assert "'r9'" in result.stderr
