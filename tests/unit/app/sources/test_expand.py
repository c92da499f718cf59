# SPDX-License-Identifier: Apache-2.0
"""From names, patterns and lists to the videos of a job."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trireel_app.errors import InvalidOption
from trireel_app.sources.expand import SourceOptions, expand
from trireel_app.sources.listing import matches
from trireel_app.sources.source import VideoSource, normal_uri


@pytest.fixture
def folder(tmp_path):
    for name in ("b.mp4", "a.MOV", "photo.jpg", "notes.txt", ".hidden.mp4", "below/c.mkv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def names(*sources, **options):
    return [s.uri for s in expand(SourceOptions(tuple(map(str, sources)), **options))]


def test_a_folder_stands_for_its_videos_and_pictures(folder):
    assert names(folder) == [f"{folder}/{n}" for n in ("a.MOV", "b.mp4", "photo.jpg")]
    assert names(folder, recursive=True)[-1] == f"{folder}/below/c.mkv"


def test_a_pattern_stands_for_the_files_that_match(folder):
    assert names(folder / "*.mp4") == [f"{folder}/b.mp4"]
    assert names(folder / "**/*.mkv") == [f"{folder}/below/c.mkv"]


def test_a_video_named_twice_counts_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert names("b.mp4", "./b.mp4", f"file://{folder}/b.mp4") == [f"{folder}/b.mp4"]


def test_a_picture_is_known_by_its_name(folder):
    assert [s.is_picture for s in expand(SourceOptions((str(folder),)))] == [False, False, True]
    assert VideoSource("https://host/a.PNG?size=1").is_picture


@pytest.mark.parametrize(
    "name",
    ["nothing.mp4", "*.webm", "ftp://host/a.mp4", "file://elsewhere/a.mp4"],
)
def test_a_name_without_videos_is_rejected(folder, monkeypatch, name):
    monkeypatch.chdir(folder)
    with pytest.raises(InvalidOption):
        names(name)


@pytest.mark.parametrize(
    "uri",
    [
        "https://me:hunter2@host/a.mp4",
        "https://b.s3.amazonaws.com/a.mp4?X-Amz-Signature=hunter2",
        "https://host/a.mp4?token=hunter2",
        "s3://key:hunter2@bucket/a.mp4",
    ],
)
def test_a_uri_with_a_credential_is_rejected_unshown(uri):
    with pytest.raises(InvalidOption) as rejected:
        normal_uri(uri)
    assert "hunter2" not in str(rejected.value)


def test_lists_of_uris_skip_comments_and_stand_beside_files(folder):
    listed = folder / "list.txt"
    listed.write_text("# two\nb.mp4\n\nhttps://Host/c.mp4#t=3\n")
    assert names(uri_files=(listed,)) == [f"{folder}/b.mp4", "https://host/c.mp4"]


ROWS = [
    {"video": "b.mp4", "chunk_seconds": 5.0, "find": ["tags", "scenes"]},
    {"video": "b.mp4", "top_k": 3, "crop": [0.0, 0.5, 1.0, 0.5]},
]


def test_manifests_of_all_kinds_give_the_same_videos(folder):
    table = folder / "rows.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    columns = folder / "rows.csv"
    columns.write_text(
        "video,chunk_seconds,find,top_k,crop\nb.mp4,5.0,tags;scenes,,\nb.mp4,,,3,0.0;0.5;1.0;0.5\n"
    )
    pq.write_table(
        pa.table({name: [row.get(name) for row in ROWS] for row in ROWS for name in row}),
        folder / "rows.parquet",
    )
    kinds = [
        [(s.uri, dict(s.options)) for s in expand(SourceOptions(manifests=(file,)))]
        for file in (table, columns, folder / "rows.parquet")
    ]
    own = [{k: v for k, v in row.items() if k != "video"} for row in ROWS]
    assert kinds == [[(f"{folder}/b.mp4", options) for options in own]] * 3


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "video,colour\nb.mp4,red\n", "colour"),
        ("a.csv", "video\nb.mp4,5\n", "more cells"),
        ("a.csv", "top_k\n5\n", "0 addresses"),
        ("a.csv", "video,top_k\nb.mp4,many\n", "top_k"),
        ("a.jsonl", "{\n", "line 1"),
        ("a.jsonl", "[1]\n", "no object"),
        ("a.parquet", "no table", "Parquet"),
        ("a.xlsx", "", "no manifest"),
    ],
)
def test_a_bad_manifest_is_one_sentence(folder, name, content, reason):
    (folder / name).write_text(content)
    with pytest.raises(InvalidOption, match=reason):
        list(expand(SourceOptions(manifests=(folder / name,))))


@pytest.mark.parametrize(
    ("pattern", "key", "matched"),
    [
        ("clips/*.mp4", "clips/a.mp4", True),
        ("clips/*.mp4", "clips/b/a.mp4", False),
        ("clips/**/*.mp4", "clips/b/c/a.mp4", True),
        ("clips/**/*.mp4", "clips/a.mp4", True),
        ("clips/[ab]?.mp4", "clips/a1.mp4", True),
        ("clips/[!ab]?.mp4", "clips/a1.mp4", False),
        ("clips/a+b.mp4", "clips/aab.mp4", False),
    ],
)
def test_patterns_of_keys_stop_at_slashes(pattern, key, matched):
    assert matches(pattern, key) is matched


@pytest.mark.parametrize("name", [b"a\xff.mp4".decode(errors="surrogateescape"), "a\0b.mp4"])
def test_a_name_that_is_no_text_is_rejected(tmp_path, name):
    listed = tmp_path / "list.jsonl"
    listed.write_text(json.dumps({"uri": f"https://host/{name}"}))
    with pytest.raises(InvalidOption, match="the name"):
        list(expand(SourceOptions(manifests=(listed,))))
