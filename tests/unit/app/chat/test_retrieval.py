# SPDX-License-Identifier: Apache-2.0
"""Which moments an answer may speak of, from a real index."""

import dataclasses

import pytest
from support.records import label
from support.talking import CLIP, OTHER, keeper_of

from trireel_app.chat.question import read_question
from trireel_app.chat.retrieval import sightings_for
from trireel_app.chat.sightings import names_of
from trireel_schema.vectors import Calibration

CALIBRATION = Calibration(20.0, -15.0)
NAMES = names_of({CLIP.video_id: CLIP.uri, OTHER.video_id: OTHER.uri})
LABELS = (
    label("text", "Closing SALE", 8.5, 9.0),
    label("object", "car", 4.0, 5.0),
    label("description", "Two cats play on a sofa.", 0.0, 4.0),
)
BEST = CLIP.frames.embeddings[5]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    return keeper_of(folder, dataclasses.replace(CLIP, labels=LABELS), OTHER).store()


def found(store, text, embedding=BEST, names=NAMES, limit=6):
    sightings = sightings_for(store, read_question(text), names, embedding, CALIBRATION, limit)
    return [(s.name, s.start_seconds, s.at_seconds) for s in sightings]


def test_a_likely_moment_is_found(store):
    (first,) = sightings_for(store, read_question("a yard"), NAMES, BEST, CALIBRATION, 6)
    assert (first.name, first.at_seconds) == ("clip.mp4", 5.5)
    assert first.start_seconds <= 5.5 <= first.end_seconds
    assert first.probability > 0.99
    assert (first.tags, first.caption) == (("place 1",), "Something in place 1")
    assert first.thumbnail.endswith("0001.jpg")
    assert first.picture_seconds == 5.0


def test_nothing_is_found_that_is_not_likely(store):
    assert found(store, "a yard", -BEST) == []


@pytest.mark.parametrize(
    ("text", "name", "start_seconds"),
    [
        ("When do we see the closing sale?", "clip.mp4", 8.0),
        ("Where is a car?", "clip.mp4", 4.0),
        ("Are there cats on a sofa?", "clip.mp4", 0.0),
    ],
)
def test_observed_words_are_found_however_unlikely(store, text, name, start_seconds):
    assert found(store, text, -BEST)[0][:2] == (name, start_seconds)


def test_a_part_of_the_words_is_not_enough(store):
    assert found(store, "Where is a car with a sail?", -BEST) == []
    # Tags and captions are words of the checkpoint itself, whose probability counts.
    assert found(store, "something in place 1", -BEST) == []


def test_quoted_words_are_found_on_the_screen(store):
    assert found(store, 'When is "closing sale" shown?') == [("clip.mp4", 8.0, 8.5)]


def test_a_time_finds_what_is_seen_then(store):
    assert found(store, "What happens at 0:05?", None) == [
        ("clip.mp4", 4.0, 5.0),
        ("other.mp4", 4.0, 5.0),
    ]
    assert found(store, "What happens at 59:05?", None) == []


def test_a_question_about_everything_gets_scenes_spread_evenly(store):
    overview = found(store, "What is this video about?", None, limit=3)
    assert overview == [("clip.mp4", 0.0, 1.0), ("clip.mp4", 8.0, 9.0), ("other.mp4", 8.0, 9.0)]
    assert len(found(store, "What is this video about?", None, limit=60)) == 6


def test_only_the_named_videos_are_searched(store):
    other = {OTHER.video_id: NAMES[OTHER.video_id]}
    assert found(store, "a yard", names=other) == []
    assert found(store, "What is this about?", None, names=other)[0][0] == "other.mp4"
    assert found(store, "a yard", names={}) == []


def test_what_fits_far_worse_is_left_out(store):
    mixed = CLIP.frames.embeddings[5] + 0.1 * OTHER.frames.embeddings[2]
    steep = Calibration(200.0, 0.0)
    sightings = sightings_for(store, read_question("a yard"), NAMES, mixed, steep, 6)
    assert [s.name for s in sightings] == ["clip.mp4"]


def test_guesses_are_no_facts(tmp_path):
    scene, *others = CLIP.scenes
    guess = dataclasses.replace(scene.tags[0], probability=0.05)
    unsure = dataclasses.replace(
        scene, tags=(guess,), caption=dataclasses.replace(scene.caption, probability=0.05)
    )
    keeper = keeper_of(tmp_path, dataclasses.replace(CLIP, scenes=(unsure, *others)))
    (first,) = sightings_for(keeper.store(), read_question("at 0:01"), NAMES, None, None, 6)
    assert (first.tags, first.caption) == ((), "")
