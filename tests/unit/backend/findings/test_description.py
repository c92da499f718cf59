# SPDX-License-Identifier: Apache-2.0
"""Descriptions of scenes as they end, the frames that stand for them, and the summary."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from trireel_backend.errors import InvalidInput, Unavailable, Unsupported
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.codec import Reader, Writer
from trireel_backend.findings.description import Description, DescriptionState
from trireel_backend.findings.description_frames import MOST_KEPT, KeptFrames
from trireel_backend.findings.description_options import DescriptionOptions
from trireel_backend.findings.finding import Knowledge, ServerModels
from trireel_backend.findings.rounds import answered
from trireel_backend.findings.summary import joined, request_for_summary
from trireel_backend.wire.tensors import texts
from trireel_backend.wire.views import PackedView
from trireel_schema.description import DescriberFacts
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration

TEXTS = TextSet(("a", "b"), np.eye(2, dtype=np.float32))
CHUNK_SECONDS = 4
OPTIONS = DescriptionOptions()


def finding(*, chats=False):
    models = ServerModels(describer=DescriberFacts(sees=True, chats=chats))
    return Description(Knowledge(TextBank(TEXTS, TEXTS), Calibration(1.0, 0.0), models=models))


def chunk(index, places, *, is_last=False):
    """Return a chunk of a frame a second; each place has an embedding and a brightness."""
    seconds = np.arange(CHUNK_SECONDS) + float(CHUNK_SECONDS * index)
    pixels = np.stack([np.full((8, 8, 3), 100 * place, np.uint8) for place in places])
    return ChunkFrames(
        np.eye(2, dtype=np.float32)[list(places)],
        seconds,
        float(CHUNK_SECONDS),
        {"description": PackedView(pixels, seconds, (0.0, 0.0, 1.0, 2.0))},
        start_seconds=float(seconds[0]),
        duration_seconds=float(CHUNK_SECONDS),
        is_last=is_last,
    )


class Model:
    """Answers with the brightness of the pictures, and summaries with their number of lines."""

    def __init__(self, *, summarises=True):
        self.summarises = summarises
        self.pictures = []

    async def __call__(self, model, inputs, outputs, *, is_decoupled):
        assert (model, outputs, is_decoupled) == ("describe", ("TEXT",), True)
        if "IMAGES" in inputs:
            self.pictures.append(inputs["IMAGES"])
            return {"TEXT": texts([f"brightness\n {inputs['IMAGES'].mean():.0f}"])}
        if not self.summarises:
            raise Unavailable("no backend answers now")
        return {"TEXT": texts([f"{inputs['PROMPT'].item().decode().count(':')} colons"])}


def run(description, chunks, model):
    """Return the outputs of each chunk, with the calls made as the server makes them."""

    async def steps():
        state, outputs = description.start(), []
        for each in chunks:

            def calls(answers, before=state, frames=each):
                needed = description.calls(before, replace(frames, answers=answers), OPTIONS)
                return {"description": needed} if needed else {}

            answers = await answered(calls({}), model, calls)
            state, answer = description.step(state, replace(each, answers=answers), OPTIONS)
            outputs.append(answer)
        return outputs

    return asyncio.run(steps())


TWO_SCENES = (chunk(0, (0, 0, 0, 0)), chunk(1, (0, 1, 1, 1), is_last=True))


def test_a_scene_is_described_when_it_ends():
    first, last = run(finding(), TWO_SCENES, Model())
    assert first["DESCRIPTION_TEXTS"].tolist() == []
    assert first["SUMMARY"].tolist() == [b""]
    assert last["DESCRIPTION_TEXTS"].tolist() == [b"brightness 0", b"brightness 100"]
    assert last["DESCRIPTION_START_SECONDS"].tolist() == [0.0, 5.0]
    assert last["DESCRIPTION_END_SECONDS"].tolist() == [5.0, 8.0]


def test_the_frames_come_without_bars():
    model = Model()
    run(finding(), TWO_SCENES, model)
    assert [each.shape for each in model.pictures] == [(2, 4, 8, 3)] * 2


def test_descriptions_are_joined_without_a_model_that_chats():
    *_, last = run(finding(), TWO_SCENES, Model())
    assert last["SUMMARY"].item().decode() == (
        "No model summarised this video; its scenes in order: 00:00 brightness 0; 00:05 brightness"
        " 100."
    )


def test_a_model_that_chats_makes_the_summary():
    *_, last = run(finding(chats=True), TWO_SCENES, Model())
    assert last["SUMMARY"].item() == b"3 colons"


def test_descriptions_are_kept_if_the_summary_fails():
    *_, last = run(finding(chats=True), TWO_SCENES, Model(summarises=False))
    assert len(last["DESCRIPTION_TEXTS"]) == 2
    assert last["SUMMARY"].item().startswith(b"No model summarised this video")


def test_a_state_can_be_written_and_read():
    description = finding()
    state, _ = description.step(description.start(), TWO_SCENES[0], OPTIONS)
    writer = Writer()
    tree = writer.write(state, DescriptionState)
    again = Reader(memoryview(b"".join(writer.arrays))).read(tree, DescriptionState)
    assert np.array_equal(again.frames.pixels, state.frames.pixels)
    assert again.described == state.described


def test_a_long_scene_keeps_few_frames_evenly_spread():
    frames = KeptFrames()
    for second in range(100):
        pixels = np.full((1, 2, 2, 3), second, np.uint8)
        frames = frames.with_view(PackedView(pixels, np.array([float(second)]))).since(-np.inf)
    assert len(frames.seconds) == MOST_KEPT
    assert (frames.seconds[0], frames.seconds[-1]) == (0.0, 99.0)
    assert np.diff(frames.seconds).max() < 35
    early, late = frames.of_scene(0.0, 100.0, 2)[:, 0, 0, 0]
    assert 5 <= early <= 45
    assert 55 <= late <= 95


def test_a_scene_without_a_frame_gets_the_nearest():
    frames = KeptFrames(np.array([1.0, 2.0]), np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3))
    assert np.array_equal(frames.of_scene(2.2, 2.4, 2), frames.pixels[1:])


def test_a_server_without_a_model_says_so():
    with pytest.raises(Unsupported, match="start it with --describe"):
        Description.view(OPTIONS, ServerModels())
    with pytest.raises(Unsupported):
        Description.view(OPTIONS, ServerModels(describer=DescriberFacts(sees=False, chats=True)))


def test_a_chunk_without_frames_is_rejected():
    bare = replace(TWO_SCENES[0], views={})
    with pytest.raises(InvalidInput, match="needs frames of its own"):
        finding().calls(finding().start(), bare, OPTIONS)


@pytest.mark.parametrize("values", [{"frames": 0}, {"frames": 5}, {"max_tokens": 0}])
def test_options_out_of_range_are_rejected(values):
    with pytest.raises(InvalidInput):
        DescriptionOptions(**values)


def test_a_summary_of_many_scenes_stays_short():
    scenes = [(float(i), f"scene number {i} " + "x" * 400) for i in range(2000)]
    assert len(joined(scenes)) < 1200
    assert "more scenes" in joined(scenes)
    _, prompt = request_for_summary(scenes)
    assert len(prompt) < 20_000


def test_a_repeated_description_is_told_once():
    assert joined([(0.0, "a"), (5.0, "a"), (9.0, "b")]).endswith("00:00 a; 00:09 b.")
