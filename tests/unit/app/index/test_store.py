# SPDX-License-Identifier: Apache-2.0
"""The store of frames and scenes in a real LanceDB."""

import dataclasses
import time
from datetime import timedelta

import numpy as np
import pytest
from support.records import WIDTH, label, record

from trireel_app.errors import LibraryError
from trireel_app.index import store as store_module
from trireel_app.index.lance import LanceTable
from trireel_app.index.rows import rows_of, scenes_schema
from trireel_app.index.store import MomentStore
from trireel_app.index.where import SceneKey, Where
from trireel_app.library import Library

EVERYWHERE = Where()
B_ID = record("/clips/it's b.mp4").video_id


def rows(folder, video, added_ns=None):
    entry = Library(folder).put(video)
    return rows_of(video, entry, time.time_ns() if added_ns is None else added_ns)


@pytest.fixture
def store(tmp_path):
    return MomentStore(str(tmp_path / "index"), WIDTH)


@pytest.fixture
def filled(store, tmp_path):
    labels = [
        label("object", "Car", 0.2, 1.4),
        label("object", "dog", 1.2, 2.2),
        label("text", "Grand SALE\n50 %", 4.6, 4.7),
    ]
    store.add(rows(tmp_path, record("/clips/a.mp4", 0, labels=labels), 1_000))
    store.add(rows(tmp_path, record("/clips/it's b.mp4", 1), 2_000))
    store.maintain()
    return store


def test_the_nearest_frames_come_first(filled):
    video = record("/clips/it's b.mp4", 1)
    found = filled.search(video.frames.embeddings[5], EVERYWHERE, 3)
    assert found.scenes[0] == SceneKey(video.video_id, 1)
    assert found.frame_indices[0] == 5
    everything = np.concatenate([record(seed=i).frames.embeddings for i in (0, 1)])
    best = np.sort(everything @ video.frames.embeddings[5])[::-1][:3]
    assert np.allclose(found.embeddings @ video.frames.embeddings[5], best, atol=1e-6)


def test_a_frame_stands_for_the_time_around_it(filled):
    found = filled.frames(Where(scenes=(SceneKey(record().video_id, 1),)))
    order = np.argsort(found.frame_indices)
    assert found.spans_seconds[order].tolist() == [[4, 5], [5, 6], [6, 7], [7, 8]]
    assert found.timestamps_seconds[order].tolist() == [4.5, 5.5, 6.5, 7.5]


@pytest.mark.parametrize(
    ("where", "frames"),
    [
        (Where(objects=("CAR",)), [0, 1]),
        (Where(objects=("car", "dog")), [1]),
        (Where(on_screen="sale 50"), [4]),
        (Where(on_screen="'; --"), []),
        (Where(videos=(B_ID,), since_ns=2_000), list(range(12))),
        (Where(videos=(B_ID,), since_ns=2_001), []),
        (Where(videos=("'",)), []),
        (Where(videos=(record("/clips/a.mp4").video_id,), objects=("dog",)), [1, 2]),
    ],
)
def test_conditions_choose_frames(filled, where, frames):
    assert sorted(filled.frames(where).frame_indices.tolist()) == frames
    found = filled.search(record().frames.embeddings[0], where, 50)
    assert sorted(found.frame_indices.tolist()) == frames


def test_scenes_are_found_by_their_words(filled):
    (first, *_) = filled.scenes_with_words("grand sales", EVERYWHERE, 5)
    assert (first.scene_index, first.on_screen) == (1, "grand sale 50 %")
    assert first.thumbnail.endswith("thumbnails/0001.jpg")
    assert filled.scenes_with_words("car", Where(videos=(B_ID,)), 5) == []
    assert filled.scenes_with_words('"(AND* -', EVERYWHERE, 5) == []
    assert filled.words_of(["The running DOGS", ""]) == [{"run", "dog"}, frozenset()]


def test_descriptions_are_found_by_their_words(store, tmp_path):
    """A description has the bounds of its scene, which are those of the neighbours too."""
    labels = [
        label("description", "Two cats on a sofa.", 4.0, 8.0),
        label("description", "A cook stirs soup.", 8.0, 12.0),
    ]
    store.add(rows(tmp_path, record("/clips/a.mp4", 0, labels=labels)))
    store.index_words()
    (first, *_) = store.scenes_with_words("cat sofa", EVERYWHERE, 5)
    assert (first.scene_index, first.description) == (1, "Two cats on a sofa.")
    found = {row.scene_index: row.description for row in store.scenes(EVERYWHERE)}
    assert found == {0: "", 1: "Two cats on a sofa.", 2: "A cook stirs soup."}


def test_tables_without_descriptions_get_them(tmp_path):
    """An index that an older Trireel wrote is read, searched and written on."""
    root = str(tmp_path / "index")
    schema = scenes_schema(WIDTH)
    older = schema.remove(schema.get_field_index("description"))
    table = LanceTable(root, "scenes", older)
    made = rows(tmp_path, record("/clips/old.mp4", 0), 1_000)
    table.add(made.scenes.drop_columns("description"))
    store = MomentStore(root, WIDTH)
    assert [row.description for row in store.scenes(EVERYWHERE)] == ["", "", ""]
    labels = [label("description", "Two cats.", 0.0, 4.0)]
    store.add(rows(tmp_path, record("/clips/new.mp4", 1, labels=labels)))
    store.index_words()
    (found,) = store.scenes_with_words("cats", EVERYWHERE, 5)
    assert found.uri == "/clips/new.mp4"
    assert len(MomentStore(root, WIDTH).scenes(EVERYWHERE)) == 6


def test_videos_are_named_by_parts_of_their_address(filled):
    assert filled.ids_of("it's b") == filled.ids_of(B_ID) == [B_ID]
    assert len(filled.ids_of("/clips/")) == 2
    assert filled.ids_of("c.mp4") == []


def test_guesses_are_no_words(store, tmp_path):
    video = record()
    scene, *others = video.scenes
    guess = dataclasses.replace(scene.tags[0], probability=0.05)
    scenes = (dataclasses.replace(scene, tags=(guess,)), *others)
    store.add(rows(tmp_path, dataclasses.replace(video, scenes=scenes)))
    row = min(store.scenes(EVERYWHERE), key=lambda row: row.scene_index)
    assert row.tags == ("place 0",)
    assert row.words == "Something in place 0"


def test_a_video_without_scenes_has_its_chunks(store, tmp_path):
    video = dataclasses.replace(record(), scenes=())
    store.add(rows(tmp_path, video))
    (row,) = store.scenes(EVERYWHERE)
    assert (row.begin_seconds, row.end_seconds, row.thumbnail) == (0.0, 12.0, "")
    assert len(store.frames(Where(scenes=(row.key,))).scenes) == 12


def test_newer_rows_replace_older_ones(filled, tmp_path):
    filled.add(rows(tmp_path, record("/clips/a.mp4", 3, num_scenes=1), 3_000))
    assert filled.num_frames() == 12 + 4
    found = filled.scenes(Where(videos=(record("/clips/a.mp4").video_id,)))
    assert [row.added_ns for row in found] == [3_000]
    filled.delete(found[0].video_id)
    filled.delete("not there")
    assert list(filled.videos()) == [record("/clips/it's b.mp4").video_id]
    assert len(filled.scenes(EVERYWHERE)) == 3


def test_rows_that_a_killed_writer_left_are_removed(filled, tmp_path):
    """The writer died after it had added the new rows, before it deleted the older ones."""
    newer = rows(tmp_path, record("/clips/a.mp4", 3, num_scenes=1), 3_000)
    filled._scenes.add(newer.scenes)
    filled._frames.add(newer.frames)
    assert filled.num_frames() == 12 + 12 + 4
    assert filled.videos()[newer.video_id][1] == 3_000
    filled.delete_superseded()
    assert filled.num_frames() == 12 + 4
    assert len(filled.scenes(EVERYWHERE)) == 3 + 1


def test_many_rows_are_indexed_and_found(store, tmp_path, monkeypatch):
    """As from 50,000 rows on: an index, rows behind it, and an index of more rows."""
    monkeypatch.setattr(store_module, "INDEXED_FROM_ROWS", 300)
    store.add(rows(tmp_path, record(num_scenes=100)))
    store.maintain()
    assert store.has_vector_index()
    other = record("/clips/b.mp4", 7)
    store.add(rows(tmp_path, other))
    found = store.search(other.frames.embeddings[2], EVERYWHERE, 5)
    assert (found.scenes[0].video_id, found.frame_indices[0]) == (other.video_id, 2)
    store.add(rows(tmp_path, record("/clips/c.mp4", 8, num_scenes=300)))
    store.maintain(kept=timedelta(milliseconds=1))
    assert store._frames.index_names("vector") == ["vector_at_1612"]
    for index in range(0, 1200, 100):
        query = record(seed=8, num_scenes=300).frames.embeddings[index]
        assert store.search(query, EVERYWHERE, 1).frame_indices.tolist() == [index]


def test_tables_of_another_width_are_rejected(store, tmp_path):
    with pytest.raises(LibraryError, match="other columns"):
        MomentStore(str(tmp_path / "index"), WIDTH + 1)


def test_a_folder_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "index").write_text("I am a file.")
    with pytest.raises(LibraryError, match="cannot be read"):
        MomentStore(str(tmp_path / "index"), WIDTH)
