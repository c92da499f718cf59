# SPDX-License-Identifier: Apache-2.0
"""Answers of `server_info`, from the bundled export."""

import hashlib
import json

import av
import pytest
from support.objects import DETECTOR
from support.repository import EXPORT, config_json

from trireel_backend.errors import StartupError
from trireel_backend.models.server_info import ServerFacts
from trireel_backend.wire.request import Request
from trireel_schema.catalogue import TENSORS
from trireel_schema.detector import DETECTOR_FILE, write_detector


def facts_with(**parameters: str) -> ServerFacts:
    return ServerFacts.of_model(EXPORT, config_json("server_info", "embedded", parameters))


def answer_of(facts: ServerFacts, **inputs):
    return facts.answer(Request(array=inputs.get))


def test_the_facts_are_those_of_the_export():
    answer = answer_of(facts_with(runtime="openvino"))
    metadata = json.loads((EXPORT / "metadata.json").read_text())
    assert answer["CHECKPOINT"].tolist() == [metadata["checkpoint"].encode()]
    assert b"drawings only" in answer["CHECKPOINT_NOTE"][0]
    assert answer["IMAGE_SIZE_PX"].tolist() == [metadata["image_size_px"]]
    assert answer["LOGIT_SCALE"].tolist() == [metadata["logit_scale"]]
    assert answer["LOGIT_BIAS"].tolist() == [metadata["logit_bias"]]
    assert answer["NUM_TAGS"].tolist() == [20]
    assert answer["RUNTIME"].tolist() == [b"openvino"]
    assert answer["SCENE_MODES"].tolist() == [b"sampled", b"refined"]
    assert answer["TAGS"].size == answer["DESCRIPTIONS"].size == 0
    for name, tensor in answer.items():
        assert len(TENSORS[name].shape) == tensor.ndim == 1


def test_the_operators_settings_are_told():
    answer = answer_of(facts_with(scene_threshold="0.5", shot_model="true"))
    assert answer["SCENE_THRESHOLD"].tolist() == [0.5]
    assert answer["SCENE_MODES"].tolist() == [b"sampled", b"refined", b"exact"]
    with pytest.raises(StartupError, match="scene_threshold is 'high'"):
        facts_with(scene_threshold="high")


def test_what_decides_an_answer_is_told():
    answer = answer_of(facts_with(chunk_seconds="30", frames_per_chunk="8"))
    bank = hashlib.sha256((EXPORT / "text_bank.npz").read_bytes()).hexdigest()
    assert answer["TEXT_BANK_SHA256"].tolist() == [bank.encode()]
    assert answer["FFMPEG_VERSION"].tolist() == [av.ffmpeg_version_info.encode()]
    assert (answer["CHUNK_SECONDS"][0], answer["FRAMES_PER_CHUNK"][0]) == (30, 8)


def test_the_bank_comes_on_request():
    import numpy as np

    answer = answer_of(facts_with(), WITH_TEXTS=np.array([True]))
    assert answer["TAGS"].tolist()[0] == b"kitchen"
    assert len(answer["DESCRIPTIONS"]) == 20


def test_a_detector_is_told_if_there_is_one(tmp_path):
    without = answer_of(facts_with())
    assert b"objects" not in without["FINDINGS"].tolist()
    assert without["DETECTOR"].tolist() == without["DETECTOR_NOTE"].tolist() == [b""]
    assert without["DETECTOR_LABELS"].size == 0
    for file in EXPORT.iterdir():
        (tmp_path / file.name).symlink_to(file.resolve())
    write_detector(DETECTOR, tmp_path / DETECTOR_FILE)
    facts = ServerFacts.of_model(tmp_path, config_json("server_info", "embedded", {}))
    answer = answer_of(facts)
    assert b"objects" in answer["FINDINGS"].tolist()
    assert answer["DETECTOR"].tolist() == [b"drawn/detector"]
    assert answer["DETECTOR_LABELS"].tolist() == [b"person", b"car", b"ball"]
    assert answer["DETECTOR_THRESHOLD"].tolist() == [0.5]
