# SPDX-License-Identifier: Apache-2.0
"""The search over a library of drawn numbers, in a real LanceDB."""

import dataclasses

import numpy as np
import pytest
from support.records import label, record

from trireel_app.errors import LibraryError
from trireel_app.index.keeper import Keeper
from trireel_app.index.search import Query, search
from trireel_app.index.where import Where
from trireel_app.library import Library
from trireel_schema.vectors import Calibration

A, B = "/clips/a.mp4", "/clips/b.mp4"
CALIBRATION = Calibration(10.0, -5.0)


@pytest.fixture
def keeper(tmp_path):
    keeper = Keeper(Library(tmp_path / "library"))
    labels = [label("object", "car", 4.1, 4.9), label("text", "Closing sale", 8, 9)]
    keeper.put(record(A, 0, labels=labels))
    keeper.put(record(B, 1))
    keeper.maintain()
    return keeper


def frame_of(seed, index):
    return record(seed=seed).frames.embeddings[index]


def test_the_moment_of_the_best_frame_comes_first(keeper):
    query = Query("", frame_of(1, 6), CALIBRATION)
    (moment, *others) = search(keeper.store(), query, 10)
    assert (moment.uri, moment.scene_index, moment.best_seconds) == (B, 1, 6.5)
    assert moment.score == pytest.approx(1.0, abs=1e-6)
    assert moment.probability == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-6)
    assert moment.tags == ("place 1",)
    assert keeper.library.storage.read(moment.thumbnail) == b"jpeg 1"
    assert [other.score for other in others] == sorted((o.score for o in others), reverse=True)


def test_words_lift_a_moment(keeper):
    """Frame 6 of B fits best by its picture; the sale is read in scene 2 of A alone."""
    picture = (frame_of(1, 6) + frame_of(0, 9)).astype(np.float32)
    picture /= np.linalg.norm(picture)
    by_picture = search(keeper.store(), Query("", picture, CALIBRATION), 10)
    by_both = search(keeper.store(), Query("a closing sale", picture, CALIBRATION), 10)
    assert (by_both[0].uri, by_both[0].scene_index, by_both[0].words_share) == (A, 2, 1.0)
    # The probability is that of the picture alone.
    same = [moment for moment in by_picture if moment.start_seconds == by_both[0].start_seconds]
    assert by_both[0].probability in [moment.probability for moment in same]


def test_a_scene_with_the_words_is_found_far_from_the_query(keeper):
    opposite = Query("closing sale", -frame_of(0, 9), Calibration(1.0, 0.0))
    found = search(keeper.store(), opposite, 1)
    assert (found[0].uri, found[0].scene_index) == (A, 2)


def test_conditions_alone_list_moments_in_order(keeper):
    found = search(
        keeper.store(), Query(where=Where(videos=(record(B).video_id, record(A).video_id))), 4
    )
    assert [(moment.uri, moment.scene_index) for moment in found] == [
        (A, 0),
        (A, 1),
        (A, 2),
        (B, 0),
    ]
    assert (found[0].score, found[0].probability) == (None, None)
    (moment,) = search(keeper.store(), Query(where=Where(objects=("car",))), 4)
    assert (moment.start_seconds, moment.end_seconds, moment.objects) == (4.0, 5.0, ("car",))


def test_conditions_narrow_a_search(keeper):
    query = Query("", frame_of(1, 6), CALIBRATION, Where(on_screen="SALE"))
    (moment,) = search(keeper.store(), query, 10)
    assert (moment.uri, moment.start_seconds, moment.end_seconds) == (A, 8.0, 10.0)
    assert moment.on_screen == "closing sale"
    nothing = dataclasses.replace(query, where=Where(objects=("boat",)))
    assert search(keeper.store(), nothing, 10) == []


def test_pictures_have_a_score_and_no_probability(keeper):
    (moment, *_) = search(keeper.store(), Query(embedding=frame_of(0, 3)), 3)
    assert (moment.uri, moment.best_seconds, moment.probability) == (A, 3.5, None)


def test_an_empty_library_is_named(tmp_path):
    with pytest.raises(LibraryError, match="trireel index"):
        Keeper(Library(tmp_path)).store()


def test_a_removed_video_is_not_found(keeper):
    assert keeper.remove(record(B).video_id)
    assert not keeper.remove(record(B).video_id)
    found = search(keeper.store(), Query("", frame_of(1, 6), CALIBRATION), 10)
    assert {moment.uri for moment in found} == {A}
    assert [entry.uri for entry in keeper.library.videos()] == [A]


def test_a_repair_follows_the_library(keeper):
    """One video is in the library alone, one in the index alone, one is older in the index."""
    keeper.library.put(record("/clips/c.mp4", 2))
    keeper.library.put(record(A, 5))
    keeper.library.remove(record(B).video_id)
    done = keeper.repair()
    assert set(done.added) == {record("/clips/c.mp4").video_id, record(A).video_id}
    assert done.removed == (record(B).video_id,)
    (moment, *_) = search(keeper.store(), Query("", frame_of(5, 0), CALIBRATION), 1)
    assert (moment.uri, moment.score) == (A, pytest.approx(1.0, abs=1e-6))
    assert keeper.repair().added == ()


def test_a_lost_index_is_made_again(keeper):
    for file in list(keeper.library.storage.files("index")):
        keeper.library.storage.remove(file.name)
    again = Keeper(keeper.library)
    assert len(again.repair().added) == 2
    assert again.store().num_frames() == 24
