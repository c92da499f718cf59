# SPDX-License-Identifier: Apache-2.0
"""An operator's parameters: those of a model's config.pbtxt, read once into a dataclass."""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any, TypeVar

from trireel_backend.errors import StartupError

Settings = TypeVar("Settings")
PRIVATE_VARIABLE = "TRIREEL_PRIVATE_PARAMETERS"
"""Environment variable: JSON object of parameters that no client may read."""
BOOLEANS = {"true": True, "false": False}


def read_settings(settings: type[Settings], parameters: Mapping[str, str]) -> Settings:
    """Read the fields of a settings dataclass from parameters of the same names.

    Raises:
        StartupError: if a parameter without a default is missing, or has the wrong type.
    """
    values = {
        field.name: _converted(field, parameters[field.name])
        for field in dataclasses.fields(settings)  # type: ignore[arg-type]
        if field.name in parameters
    }
    try:
        return settings(**values)
    except TypeError as error:
        raise StartupError(f"config.pbtxt lacks a parameter: {error}") from error


def model_parameters(model_config_json: str) -> dict[str, str]:
    """Return the parameters of the model config that Triton passes to `initialize`.

    The launcher's private parameters replace those of the same name.
    """
    parameters = json.loads(model_config_json).get("parameters", {})
    private = json.loads(os.environ.get(PRIVATE_VARIABLE, "{}"))
    # JSON has no field for an empty string.
    return {
        name: private.get(name, value.get("string_value", "")) for name, value in parameters.items()
    }


def sequence_idle_seconds(model_config_json: str) -> float:
    """Return how long Triton keeps an idle sequence of this model open."""
    batching = json.loads(model_config_json)["sequence_batching"]
    return int(batching["max_sequence_idle_microseconds"]) / 1e6


def _converted(field: "dataclasses.Field[Any]", value: str) -> Any:
    try:
        if field.type is bool:
            return _boolean(value)
        return field.type(value)  # type: ignore[operator]  # int, float or str
    except ValueError as error:
        raise StartupError(f"parameter {field.name} is {value!r}: {error}") from error


def at_least_one(name: str, number: int) -> int:
    """Return a number of 1 or more; raises StartupError if it is less."""
    if number < 1:
        raise StartupError(f"{name} is {number}: give 1 or more")
    return number


def _boolean(value: str) -> bool:
    if value not in BOOLEANS:
        raise ValueError(f"give {' or '.join(BOOLEANS)}")
    return BOOLEANS[value]


def comma_separated(text: str) -> frozenset[str]:
    """Return the items of a list separated by commas, without blanks."""
    return frozenset(part.strip() for part in text.split(",") if part.strip())
