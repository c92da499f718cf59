# SPDX-License-Identifier: Apache-2.0
"""Findings are found by their files, and each keeps to the interface and to the catalogue."""

from dataclasses import replace

import numpy as np
import pytest
from support.captions import text_model
from support.objects import MODELS, detected

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import Knowledge, ViewSpec
from trireel_backend.findings.registry import FINDINGS, check_options, findings_named
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import NUMPY_TYPES
from trireel_backend.wire.views import PackedView
from trireel_schema import catalogue
from trireel_schema.description import DESCRIBE_MODEL, DescriberFacts
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration

WIDTH, FRAMES = 4, 3


def request_of(**inputs):
    return Request(inputs.get)


def names(*texts):
    return np.array([text.encode() for text in texts], np.object_)


def answer_of(call):
    if call.model.startswith("text_"):
        return text_model(call.model, call.inputs)
    if call.model == DESCRIBE_MODEL:
        return {"TEXT": names("a cat")}
    return detected(call.inputs["FRAMES"])


def test_every_finding_of_the_catalogue_has_a_file():
    assert list(FINDINGS) == list(catalogue.FINDINGS)
    for name, kind in FINDINGS.items():
        assert kind.name == name
        assert kind.__module__ == f"trireel_backend.findings.{name}"


@pytest.mark.parametrize("name", catalogue.FINDINGS)
def test_outputs_are_as_the_catalogue_says(name):
    """Names, data types, numbers of dimensions; and a step leaves the state given as it was."""
    texts = TextSet(("a", "b"), np.eye(2, WIDTH, dtype=np.float32))
    models = replace(MODELS, describer=DescriberFacts(sees=True, chats=True))
    knowledge = Knowledge(TextBank(texts, texts), Calibration(10.0, -2.0), models=models)
    finding = FINDINGS[name](knowledge)
    frames = np.eye(FRAMES, WIDTH, dtype=np.float32)
    times = np.arange(FRAMES, dtype=np.float64)
    options = finding.options(request_of())
    view = finding.view(options, models) or ViewSpec(48, 27, FRAMES)
    pixels = np.zeros((FRAMES, view.height_px, view.width_px, 3), np.uint8)
    chunk = ChunkFrames(frames, times, 3.0, {name: PackedView(pixels, times)})
    start = finding.start()
    answers = []
    while calls := finding.calls(start, chunk, options):
        answers += [answer_of(call) for call in calls]
        chunk = replace(chunk, answers={name: answers})
    _, outputs = finding.step(start, chunk, options)
    assert outputs.keys() == set(catalogue.FINDINGS[name].outputs)
    for output, array in outputs.items():
        known = catalogue.TENSORS[output]
        assert array.dtype == NUMPY_TYPES[known.dtype], output
        assert array.ndim == len(known.shape), output
    _, outputs_again = finding.step(start, chunk, options)
    for output, array in outputs.items():
        np.testing.assert_array_equal(array, outputs_again[output])


def test_find_names_findings_in_the_catalogues_order():
    assert findings_named(request_of()) == ("tags", "caption", "scenes")
    request = request_of(FIND=names("quality", "tags", "quality"))
    assert findings_named(request) == ("tags", "quality")


@pytest.mark.parametrize("name", ["qualities", "Tags", "finding", "../tags"])
def test_an_unknown_finding_is_rejected(name):
    with pytest.raises(InvalidInput, match="objects, quality, scenes, tags, text"):
        findings_named(request_of(FIND=names("tags", name)))


def test_options_are_checked_only_for_the_findings_named():
    inputs = {"TOP_K": np.array([0]), "FIND": names("caption")}
    assert check_options(request_of(**inputs)) == ("caption",)
    with pytest.raises(InvalidInput, match="TOP_K is 0"):
        check_options(request_of(TOP_K=np.array([0])))
