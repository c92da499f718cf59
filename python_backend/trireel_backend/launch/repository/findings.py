# SPDX-License-Identifier: Apache-2.0
"""Add the tensors of findings and of sequences from the catalogue to the models' configs.

So a finding is declared in one place, and no config.pbtxt names it.
"""

from typing import Any

from tritonclient.grpc import model_config_pb2

from trireel_schema.catalogue import (
    FINDINGS,
    FREE_TEXTS,
    SEQUENCE_INPUTS,
    SEQUENCE_OUTPUTS,
    TENSORS,
    VIEW_INPUTS,
    VIEW_TENSORS,
    Dim,
)

DECODER = "temporal_decoder"
EXTRACTOR = "frame_extractor"
CHUNK_START = "CHUNK_START_SECONDS"
"""The extractor's tensor by which the decoder recognises a chunk."""
WHOLE_VIDEO_MODELS = ("video_analysis", "video_analysis_stream")
ENSEMBLES = ("chunk_encoder", "video_chunk", "frame_chunk")


def add_findings(config: Any) -> None:
    """Add FIND and the tensors of findings, second views and sequences to a ModelConfig message.

    Tensors that the config has already stay unchanged. The added inputs are optional.
    """
    if config.name in (*WHOLE_VIDEO_MODELS, DECODER):
        inputs = _names("inputs")
        if config.name in WHOLE_VIDEO_MODELS:
            inputs = [name for name in inputs if name not in FREE_TEXTS.values()]
        _add(config.input, ["FIND", *inputs], optional=True)
        _add(config.output, _names("outputs"), one_chunk=config.name == DECODER)
    if config.name == DECODER:
        _add(config.input, (*VIEW_TENSORS, CHUNK_START, *SEQUENCE_INPUTS), optional=True)
        _add(config.output, SEQUENCE_OUTPUTS, one_chunk=True)
    if config.name == EXTRACTOR:
        _add(config.input, VIEW_INPUTS, optional=True)
        _add(config.output, VIEW_TENSORS)
    if config.name in ENSEMBLES:
        _connect(config)


def _connect(ensemble: Any) -> None:
    """Connect the findings' tensors of an ensemble with those of its steps."""
    steps = {step.model_name: step for step in ensemble.ensemble_scheduling.step}
    view_inputs = VIEW_INPUTS if EXTRACTOR in steps else ("FIND",)
    _add(ensemble.input, view_inputs, optional=True)
    for step in (steps.get(EXTRACTOR), steps.get(DECODER)):
        if step is not None:
            for name in view_inputs:
                step.input_map[name] = name
    if EXTRACTOR in steps:
        for name in VIEW_TENSORS:
            steps[EXTRACTOR].output_map[name] = name
    if DECODER not in steps:
        _add(ensemble.output, VIEW_TENSORS)
        return
    if EXTRACTOR in steps:
        for name in (*VIEW_TENSORS, CHUNK_START):
            steps[DECODER].input_map[name] = name
    inputs, outputs = [*_names("inputs"), *SEQUENCE_INPUTS], [*_names("outputs"), *SEQUENCE_OUTPUTS]
    _add(ensemble.input, inputs, optional=True)
    for name in inputs:
        steps[DECODER].input_map[name] = name
    _add(ensemble.output, outputs, one_chunk=True)
    for name in outputs:
        steps[DECODER].output_map[name] = name


def _names(side: str) -> list[str]:
    return [name for finding in FINDINGS.values() for name in getattr(finding, side)]


def _add(tensors: Any, names: Any, *, optional: bool = False, one_chunk: bool = False) -> None:
    config_names = {tensor.name for tensor in tensors}
    for name in names:
        if name in config_names:
            continue
        entry = TENSORS[name]
        tensor = tensors.add()
        tensor.name = name
        tensor.data_type = model_config_pb2.DataType.Value(_triton_type(entry.dtype))
        tensor.dims.extend(_size(dim, one_chunk) for dim in entry.shape)
        if optional:
            tensor.optional = True


def _triton_type(dtype: str) -> str:
    return "TYPE_STRING" if dtype == "BYTES" else f"TYPE_{dtype}"


def _size(dim: Dim, one_chunk: bool) -> int:
    if isinstance(dim, int):
        return dim
    return 1 if one_chunk and dim == "n" else -1
