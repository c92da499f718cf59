# SPDX-License-Identifier: Apache-2.0
"""A library made by the real server: index, search, other tags, and the commands for them."""

import json

import boto3
import pytest
from support.drawn_library import write_drawn_library
from support.s3 import s3_server
from typer.testing import CliRunner

from trireel_app.commands.index import index
from trireel_app.commands.library import app as library_app
from trireel_app.commands.retag import retag
from trireel_app.commands.search import search
from trireel_app.index.keeper import Keeper
from trireel_app.index.retag import retagged
from trireel_app.library import Library
from trireel_client import TrireelClient
from trireel_schema.texts import TextSet

LEAST_RIGHT = 19
TAGS = ["a red car", "Kitchen", "somebody at work", "the sea", "weights"]
MOST_DIFFERENCE = 1e-6


def run(command, *arguments, status=0):
    """Run a command in this process; return its result."""
    import typer

    app = command
    if not isinstance(command, typer.Typer):
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command()(command)
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == status, done.stderr
    return done


@pytest.fixture(scope="module")
def drawn(server, tmp_path_factory):
    """Index drawn videos and one that is none; return queries, the library and the output."""
    folder = tmp_path_factory.mktemp("drawn")
    truths = write_drawn_library(folder)
    (folder / "broken.mp4").write_text("I am not a video.")
    library = folder / "library"
    done = run(index, folder, "--library", library, "--url", server.grpc_url, status=1)
    return truths, library, done


def test_every_video_is_indexed_and_the_broken_one_told(drawn):
    _, library, done = drawn
    assert len(done.stdout.splitlines()) == 5
    assert "drawn-0.mp4  9.52 s, 16 frames, 4 scenes" in done.stdout
    assert "broken.mp4" in done.stderr
    assert "5 indexed, 1 failed" in done.stderr
    listed = run(library_app, "list", "--library", library).stdout
    assert [line.split("/")[-1] for line in listed.splitlines()].count("drawn-3.mp4") == 1


def test_held_out_queries_find_their_moment_first(drawn, server):
    truths, library, _ = drawn
    right = []
    for truth in truths:
        done = run(search, truth.query, "--library", library, "--url", server.grpc_url, "--json")
        first = json.loads(done.stdout)["moments"][0]
        is_inside = truth.start_seconds <= first["best_seconds"] < truth.end_seconds
        right.append(first["uri"] == str(truth.video) and is_inside)
        assert 0 <= first["probability"] <= 1
    assert len(right) == 20
    assert sum(right) >= LEAST_RIGHT


def test_a_picture_finds_its_scene(drawn, server):
    truths, library, _ = drawn
    found = run(search, truths[13].query, "--library", library, "--url", server.grpc_url, "--json")
    picture = json.loads(found.stdout)["moments"][0]["thumbnail"]
    done = run(search, "--like", picture, "--library", library, "--url", server.grpc_url)
    first = done.stdout.splitlines()[0]
    assert truths[13].video.name in first
    assert "0:02.40-0:04.80" in first


def test_objects_narrow_a_search(drawn, server):
    """The server's detector finds red, green and blue; each moment that is left has red."""
    _, library, _ = drawn
    place = ("--library", library, "--json")
    every = json.loads(run(search, "--video", "drawn", "--limit", 100, *place).stdout)["moments"]
    found = json.loads(run(search, "--objects", "RED", "--limit", 100, *place).stdout)["moments"]
    assert len(found) > 0
    assert all("red" in moment["objects"] for moment in found)
    seconds = [sum(m["end_seconds"] - m["start_seconds"] for m in part) for part in (found, every)]
    assert 0 < seconds[0] < seconds[1]
    assert json.loads(run(search, "--objects", "zebra", *place).stdout)["moments"] == []


def test_unchanged_videos_are_left_as_they_are(drawn, server):
    truths, library, _ = drawn
    video = truths[0].video
    done = run(index, video, "--library", library, "--url", server.grpc_url)
    assert "(unchanged)" in done.stdout
    done = run(index, video, "--library", library, "--url", server.grpc_url, "--again", "--json")
    assert json.loads(done.stdout)["unchanged"] is False
    # The library lies in the folder: its pictures are not indexed.
    place = ("--library", library, "--url", server.grpc_url)
    done = run(index, video.parent, "--recursive", *place, status=1)
    assert "5 unchanged, 1 failed" in done.stderr
    assert "80 frames" in done.stderr


def test_other_tags_score_as_on_the_server(drawn, server):
    """Tags of the whole video, its chunks and its scenes, by stored embeddings alone."""
    truths, library, _ = drawn
    keeper = Keeper(Library(library))
    with TrireelClient(server.grpc_url) as client:
        texts = TextSet(tuple(TAGS), client.embed_texts(TAGS))
        calibration = client.server_details().calibration
        for video in dict.fromkeys(truth.video for truth in truths[:8]):
            (entry,) = keeper.matching(str(video))
            ours = retagged(keeper.library.record(entry.video_id), texts, calibration, 3)
            theirs = client.analyze(video, tags=TAGS, top_k=3)
            pairs = [*zip(ours.chunks, theirs.chunks, strict=True)]
            pairs += [*zip(ours.scenes, theirs.shots, strict=True)]
            assert len(ours.scenes) == 4
            for mine, server_part in pairs:
                assert_same([vars(tag) for tag in mine.tags], server_part.tags)
            assert_same(ours.answer["tags"], theirs.tags)


def assert_same(ours, theirs):
    assert [tag["text"] for tag in ours] == [tag.text for tag in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert abs(mine["score"] - other.score) <= MOST_DIFFERENCE
        assert abs(mine["probability"] - other.probability) <= MOST_DIFFERENCE


def test_saved_tags_are_searched(drawn, server, tmp_path):
    _, library, _ = drawn
    (tmp_path / "tags.txt").write_text("zeppelin\nstove\n")
    place = ("--library", library, "--url", server.grpc_url)
    done = run(retag, "--tags", tmp_path / "tags.txt", "--video", "drawn-0", "--save", *place)
    assert len(done.stdout.splitlines()) == 1
    done = run(search, "--video", "drawn-0", *place, "--json")
    moments = json.loads(done.stdout)["moments"]
    assert len(moments) == 4
    assert all(set(moment["tags"]) == {"zeppelin", "stove"} for moment in moments)
    assert all(moment["thumbnail"] for moment in moments)


def test_a_library_in_a_bucket(server, tmp_path):
    truths = write_drawn_library(tmp_path, scenes_a_video=20)[:1]
    with s3_server() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="many")
        place = ("--library", "s3://many/library", "--url", server.grpc_url)
        run(index, truths[0].video, *place)
        found = json.loads(run(search, truths[0].query, *place, "--json").stdout)["moments"][0]
        assert found["best_seconds"] < truths[0].end_seconds
        assert found["thumbnail"].startswith("s3://many/library/videos/")
        run(library_app, "compact", "--library", "s3://many/library")
        run(library_app, "remove", "drawn", "--library", "s3://many/library")
        assert run(library_app, "list", "--library", "s3://many/library").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "got nothing to search for"),
        (["car", "--like", __file__], "got both of TEXT and --like"),
        (["car", "--since", "yesterday"], "--since is 'yesterday'"),
        (["car", "--video", "nowhere"], "the library has no such video"),
    ],
)
def test_a_wrong_search_is_one_sentence(drawn, arguments, sentence):
    done = run(search, *arguments, "--library", drawn[1], status=2)
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [index, search])
def test_a_server_with_other_weights_is_rejected(command, drawn, server, tmp_path):
    """Before a video is analysed: its embeddings could not be compared with the library's."""
    truths, library, _ = drawn
    head = json.loads((library / "library.json").read_text())
    head["checkpoint"]["weights_sha256"] = "0" * 64
    (tmp_path / "library.json").write_text(json.dumps(head))
    subject = truths[0].video if command is index else "a car"
    done = run(command, subject, "--library", tmp_path, "--url", server.grpc_url, status=1)
    assert "or other weights" in done.stderr
    assert not (tmp_path / "videos").exists()


def test_a_missing_library_is_one_sentence(tmp_path):
    done = run(search, "car", "--library", tmp_path / "nowhere", status=1)
    assert "trireel index" in done.stderr
    assert not (tmp_path / "nowhere").exists()
