# SPDX-License-Identifier: Apache-2.0
"""Random values that hostile requests are made of."""

import json
import random
from typing import Any

Random = random.Random

BODY_BYTES = 64 * 1024
MODELS = (
    "siglip_text", "siglip_vision", "temporal_decoder", "frame_extractor", "video_chunk",
    "frame_chunk", "chunk_encoder", "video_analysis", "video_analysis_stream", "no_such_model", "",
)  # fmt: skip
TENSORS = (
    "TEXTS",
    "FRAMES",
    "VIDEO",
    "VIDEO_DATA",
    "EMBEDDINGS",
    "TAG_TEXTS",
    "SCENES",
    "CROP",
    "\0",
)
TYPES = (
    "BYTES", "FP32", "FP64", "FP16", "BF16", "BOOL", "INT8", "INT32", "INT64", "UINT8", "UINT64",
    "X",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 255, 2**31 - 1, 2**31, 2**32, 2**63 - 1, -(2**63), 1.5, -0.0, 1e308)
WORDS = (
    "",
    "a",
    "none.mp4",
    "../../etc/passwd",
    "file:///etc/passwd",
    "\x1b[2J",
    "<b>",
    "ü录",
    "%s%n",
)
PARAMETERS = (
    "classification", "binary_data", "binary_data_size", "shared_memory_region",
    "shared_memory_byte_size", "shared_memory_offset", "sequence_id", "sequence_start",
    "sequence_end", "priority", "timeout", "binary_data_output",
    "triton_enable_empty_final_response",
    "headers", "id", "x",
)  # fmt: skip


def value(rng: Random, depth: int = 0) -> Any:
    """Return a random JSON value."""
    kind = rng.randrange(7 if depth < 3 else 4)
    if kind < 2:
        return rng.choice(NUMBERS)
    if kind == 2:
        return rng.choice(WORDS)
    if kind == 3:
        return rng.choice((True, False, None))
    if kind == 4:
        return {rng.choice(PARAMETERS): value(rng, depth + 1) for _ in range(rng.randrange(3))}
    return [value(rng, depth + 1) for _ in range(rng.randrange(4))]


def parameters(rng: Random) -> dict[str, Any]:
    """Return up to three random parameters; most have a plausible type."""
    return {
        rng.choice(PARAMETERS): rng.choice((1, 8, True, "r", value(rng)))
        for _ in range(rng.choice((0, 0, 0, 1, 2, 3)))
    }


def shape(rng: Random) -> list[Any]:
    """Return a random shape, most often a plausible one."""
    if rng.random() < 0.7:
        return rng.choice(([1], [1, 1], [2, 1], [0], [1, 16, 64], [1, 8, 8, 3], []))
    return [rng.choice((*NUMBERS, 3, 4)) for _ in range(rng.randrange(5))]


def inference(rng: Random) -> dict[str, Any]:
    """Return the JSON of an inference request."""
    request: dict[str, Any] = {"inputs": [], "parameters": parameters(rng)}
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        data = rng.choice((["none.mp4"], [0.5] * 8, [[1, 2], [3]], [value(rng)] * 3, value(rng)))
        request["inputs"].append(
            {"name": rng.choice(TENSORS), "datatype": rng.choice(TYPES), "shape": shape(rng),
             "data": data, "parameters": parameters(rng)}
        )  # fmt: skip
    if rng.random() < 0.4:
        request["outputs"] = [{"name": rng.choice(TENSORS), "parameters": parameters(rng)}]
    if rng.random() < 0.3:
        request["id"] = rng.choice((*WORDS, 3))
    if rng.random() < 0.1:
        request[rng.choice(tuple(request))] = value(rng)
    return request


def text_inference(rng: Random) -> dict[str, Any]:
    """Return a valid request to siglip_text, with random parameters."""
    text = {"name": "TEXTS", "datatype": "BYTES", "shape": [1, 1], "data": ["a red ball"]}
    return {
        "inputs": [{**text, "parameters": parameters(rng)}],
        "outputs": [{"name": "EMBEDDINGS", "parameters": parameters(rng)}],
        "parameters": parameters(rng),
    }


def dumps(body: Any) -> bytes:
    """Return JSON as bytes."""
    return json.dumps(body).encode("utf-8", "replace")


def video_inference(rng: Random) -> dict[str, Any]:
    """Return a valid request for the bundled sample, cheap, with random parameters of an output."""
    values = {"VIDEO": ("BYTES", "sample.mp4"), "CHUNK_SECONDS": ("FP64", 600.0)}
    values |= {"FRAMES_PER_CHUNK": ("INT32", 1)}
    inputs = [
        {"name": name, "datatype": datatype, "shape": [1], "data": [content]}
        for name, (datatype, content) in values.items()
    ]
    output = rng.choice(("TAG_TEXTS", "TAG_SCORES", "CAPTION_TEXTS", "IS_COMPLETE"))
    return {"inputs": inputs, "outputs": [{"name": output, "parameters": parameters(rng)}]}
