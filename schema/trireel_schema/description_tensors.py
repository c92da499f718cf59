# SPDX-License-Identifier: Apache-2.0
"""Tensors of the finding `description` and of the model `describe`, for the catalogue."""

from trireel_schema.tensor import FindingTensors, Tensor

DESCRIPTION_TENSORS = (
    Tensor("DESCRIPTION_FRAMES", "INT32", (1,), "frames that stand for a scene, 1 to 4"),
    Tensor("DESCRIPTION_PROMPT", "BYTES", (1,), "request to the model about a scene's frames"),
    Tensor("DESCRIPTION_MAX_TOKENS", "INT32", (1,), "most tokens of a description"),
    Tensor("DESCRIPTION_TEXTS", "BYTES", ("u",), "descriptions of the scenes so far"),
    Tensor("DESCRIPTION_START_SECONDS", "FP64", ("u",), "begin of each described scene"),
    Tensor("DESCRIPTION_END_SECONDS", "FP64", ("u",), "end of each described scene"),
    Tensor("SUMMARY", "BYTES", (1,), "summary of the video; empty before its last chunk"),
    Tensor("IMAGES", "UINT8", ("a", "H", "W", 3), "pictures of a question, RGB"),
    Tensor("PROMPT", "BYTES", (1,), "the question"),
    Tensor("SYSTEM", "BYTES", (1,), "instructions for the model that answers"),
    Tensor("HISTORY", "BYTES", (1,), "earlier messages: a JSON list of role and content"),
    Tensor("MAX_TOKENS", "INT32", (1,), "most tokens of the answer"),
    Tensor("TEMPERATURE", "FP32", (1,), "variety of the answer, 0 for the most likely one"),
    Tensor("SEED", "INT32", (1,), "seed of the variety"),
    Tensor("TEXT", "BYTES", (1,), "a piece of the answer"),
    Tensor("BACKEND", "BYTES", (1,), "name of the backend that answers"),
    Tensor("NUM_TOKENS", "INT32", (1,), "tokens of the answer so far"),
    Tensor("FINISH", "BYTES", (1,), "stop or length with the last piece, else empty"),
)
"""The tensors, in the order of the catalogue."""

DESCRIPTIONS = FindingTensors(
    inputs=("DESCRIPTION_FRAMES", "DESCRIPTION_PROMPT", "DESCRIPTION_MAX_TOKENS"),
    outputs=(
        "DESCRIPTION_TEXTS",
        "DESCRIPTION_START_SECONDS",
        "DESCRIPTION_END_SECONDS",
        "SUMMARY",
    ),
)
"""The tensors of the finding `description`."""
