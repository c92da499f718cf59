# SPDX-License-Identifier: Apache-2.0
"""The model repository and the bundled export, as tests read them."""

from pathlib import Path

from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "model_repository"
EXPORT = ROOT / "export/tiny/model"


def config_json(name, profile, parameters):
    """Return a model's config as Triton hands it to `initialize`, with these parameters set."""
    variant = MODELS / name / f"configs/{profile}.pbtxt"
    path = variant if variant.exists() else MODELS / name / "config.pbtxt"
    config = text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
    for key, value in parameters.items():
        config.parameters[key].string_value = value
    return json_format.MessageToJson(config, preserving_proto_field_name=True)
