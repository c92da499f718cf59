# SPDX-License-Identifier: Apache-2.0
"""perf_analyzer's recipes: data, command lines, results."""

import base64
import contextlib
import csv
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tritonclient.utils import deserialize_bytes_tensor

from benchmarks.common.record import Headline
from benchmarks.common.server import EXPORT
from benchmarks.perf_analyzer.__main__ import chosen
from benchmarks.perf_analyzer.data import Material, bank_texts, input_data
from benchmarks.perf_analyzer.headlines import headlines
from benchmarks.perf_analyzer.recipes import RECIPES
from benchmarks.perf_analyzer.running import Counts, count, find_problems, removed_at_the_end
from benchmarks.perf_analyzer.table import Level, page_of, ratios, read, read_all
from trireel_backend.launch.run_folder import SHARED_MEMORY
from trireel_client.load_test.watch.scrape import parse_metrics

ROOT = Path(__file__).parents[3]
URLS = {"grpc": "127.0.0.1:8001", "http": "127.0.0.1:8000"}
DATA = Path("benchmarks/perf_analyzer/data")
STARTS_SECONDS = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
FRAMES = np.random.default_rng(3).integers(0, 256, (5, 4, 4, 3), np.uint8)
REPORT = """\
Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,\
Server Compute Input,Server Compute Infer,Server Compute Output,Client Recv,p50 latency,\
p90 latency,p95 latency,p99 latency
16,814.359,94,4749,150507,1562,137567,2391,2,294091,373368,412138,467543
1,830.834,79,932,2374,119,14884,590,5,17540,24892,26812,32638
"""
MACHINE = {"cores": ["P"] * 2, "commit": "abc"}
QUIET = Counts(requests=40, failures=0, chunks=0, live_sequences=0)


@pytest.fixture
def data():
    texts = ["kitchen", "Straße"]
    return input_data(Material("a b.mp4", b"\x00bytes\xff", FRAMES, STARTS_SECONDS, texts))


def command(name, **values):
    recipe = RECIPES[name]
    return recipe.command(URLS[recipe.protocol], DATA, Path("out.csv"), **values)


def option(arguments, name):
    return arguments[arguments.index(name) + 1]


def test_frames_go_as_they_are(data):
    sent = [base64.b64decode(step["FRAMES"]["b64"]) for step in data["frames.json"]]
    assert sent == [frame.tobytes() for frame in FRAMES]


def test_a_file_goes_as_an_element_of_a_bytes_tensor(data):
    (step,) = data["uploads.json"]
    assert step["VIDEO_DATA"]["shape"] == [1]
    raw = base64.b64decode(step["VIDEO_DATA"]["b64"])
    assert deserialize_bytes_tensor(raw).tolist() == [b"\x00bytes\xff"]


def test_streams_are_the_chunks_of_a_video_in_order(data):
    streams = [[step["START_SECONDS"][0] for step in stream] for stream in data["chunks.json"]]
    assert streams == [STARTS_SECONDS[first:] for first in range(4)]
    assert {step["VIDEO"][0] for stream in data["chunks.json"] for step in stream} == {"a b.mp4"}
    short = input_data(Material("x", b"", FRAMES, [0.0], ["y"]))
    assert short["chunks.json"] == [[{"VIDEO": ["x"], "START_SECONDS": [0.0]}]]


def test_every_recipe_has_its_data(data):
    assert {recipe.data for recipe in RECIPES.values()} == set(data)
    assert json.loads(json.dumps(data)) == data


def test_phrases_are_those_of_the_export():
    texts = bank_texts(EXPORT)
    assert len(set(texts)) == len(texts) == 40
    assert {"kitchen", "A person cooking at a stove"} <= set(texts)


@pytest.mark.parametrize("name", RECIPES)
def test_a_command_line_says_what_its_name_says(name):
    arguments = command(name)
    recipe = RECIPES[name]
    assert option(arguments, "-m") == recipe.model == name.split("-")[0]
    assert option(arguments, "-u") == ("127.0.0.1:8001" if "grpc" in name else "127.0.0.1:8000")
    assert option(arguments, "-i") in name
    assert ("--shared-memory" in arguments) is name.endswith("-shm")
    assert ("--serial-sequences" in arguments) is (recipe.model == "video_chunk")
    batch = re.search(r"-b(\d+)", name)
    assert ("-b" in arguments and option(arguments, "-b")) == (
        batch is not None and batch[1] != "1" and batch[1]
    )


def test_all_is_asked_that_a_recipe_can_ask():
    assert {recipe.model for recipe in RECIPES.values()} == {
        *("siglip_vision", "siglip_text", "video_chunk", "video_analysis")
    }
    tower = [recipe for recipe in RECIPES.values() if recipe.model == "siglip_vision"]
    kinds = {(recipe.batch, recipe.protocol, recipe.shared_memory) for recipe in tower}
    assert len(kinds) == len(tower) == 3 * 2 * 2


@pytest.mark.parametrize("name", [name for name in RECIPES if name.endswith("-shm")])
def test_shared_memory_is_only_asked_where_perf_analyzer_has_it(name):
    config = (ROOT / "model_repository" / RECIPES[name].model / "config.pbtxt").read_text()
    assert "optional: true" not in config


def test_a_quick_run_has_one_level():
    assert option(command("video_chunk-grpc", quick=True), "--concurrency-range") == "2"
    assert option(command("video_chunk-grpc"), "--concurrency-range") == "1:16:5"


def test_recipes_are_chosen_by_patterns():
    names = [recipe.name for recipe in chosen(["video_chunk-*", "video_*"])]
    assert names[:2] == ["video_chunk-grpc", "video_chunk-http"]
    assert len(names) == len(set(names)) == 6
    assert len(chosen(["*"])) == len(RECIPES)
    with pytest.raises(SystemExit, match=r"no recipe 'video'; there are: siglip_vision-b1-grpc, "):
        chosen(["video"])


def test_the_documented_commands_are_the_recipes():
    text = (ROOT / "docs/load-test.md").read_text().replace("\\\n", " ")
    documented = {
        option(arguments, "-f").removesuffix(".csv"): arguments
        for arguments in map(
            shlex.split, re.findall(r"^\$ (scripts/perf_analyzer .*)$", text, re.M)
        )
    }
    assert {RECIPES[name].model for name in documented} == {
        recipe.model for recipe in RECIPES.values()
    }
    for name, arguments in documented.items():
        url = URLS[RECIPES[name].protocol]
        assert arguments == RECIPES[name].command(url, DATA, Path(f"{name}.csv")), name


def raw_of(rows_by_name, **run):
    """Return raw numbers: a run without problems for each CSV."""
    fine = {"quick": False, "problems": [], "command": "x", "machine": MACHINE, "triton": "1"}
    recipes = dict.fromkeys(rows_by_name, fine | run)
    files = {f"results/{name}.csv": rows for name, rows in rows_by_name.items()}
    return {"results/run.json": {"recipes": recipes}, **files}


def test_levels_are_read_in_order():
    name = "siglip_text-b1-grpc"
    rows = list(csv.DictReader(REPORT.splitlines()))
    levels = read_all(raw_of({name: rows}))[1][RECIPES[name]]
    assert list(levels) == [1, 16]
    assert levels[1] == Level(1, 830.834, 17.54, 26.812, pytest.approx(1.016))
    assert levels[16].p95_ms == 412.138


def made_levels():
    """A tower that gets 1.5 times the rate by shared memory, and half the time on the way."""
    return {
        recipe: {
            one: Level(one, (150 if recipe.shared_memory else 100) * one, 5.0, 9.0,
                       1.0 if recipe.shared_memory else 2.0)
            for one in (1, 16)
        }
        for recipe in RECIPES.values()
        if recipe.model in ("siglip_vision", "video_chunk")
    }  # fmt: skip


def made_report(levels):
    origin = {"machine": {"cores": ["a CPU"] * 2, "commit": "abc"}, "triton": "2.51.0"}
    fine = {"quick": False, "problems": [], "counts": {"failures": 0, "live_sequences": 0}}
    runs = {one.name: {**origin, **fine, "command": f"run {one.name}"} for one in levels}
    return {"recipes": runs}


def test_the_page_has_every_recipe_its_ratios_and_its_command():
    levels = made_levels()
    text = page_of(made_report(levels), levels)
    assert "Measured on 2 x a CPU, commit abc, Triton 2.51.0." in text
    assert "no request of these runs failed" in " ".join(text.split())
    assert "three windows in a row that agree within 10 %. " in text
    assert "gRPC instead of HTTP: 1.00 x (1.00 to 1.00) the throughput" in text
    assert "| of 16 | gRPC, shared memory | 150 | 2400 | 5.00 | 9.00 | 9.00 | 1.00 |" in text
    assert "| that name a file | HTTP | 100 | 1600 | 5.00 | 9.00 | 9.00 | 2.00 |" in text
    assert "chunks/s at 16" in text
    for recipe in levels:
        assert f"$ run {recipe.name}\n" in text


def test_the_page_names_what_is_left_out_and_why():
    levels = made_levels()
    report = made_report(levels)
    runs = report["recipes"]
    runs["siglip_text-b1-http"] = {"quick": True, "problems": []}
    runs["siglip_text-b1-grpc"] = {"quick": False, "problems": ["it ended with 1:\nlong words"]}
    text = page_of(report, levels)
    assert "\n- siglip_text-b1-http: one short level, to try it\n" in text
    assert "\n- siglip_text-b1-grpc: it ended with 1:\n" in text
    assert "\n- video_analysis-grpc: not run\n" in text
    assert "long words" not in text


def test_the_page_tells_what_failed():
    levels = made_levels()
    report = made_report(levels)
    report["recipes"]["video_chunk-grpc"]["counts"] = {"failures": 2, "live_sequences": 1}
    assert "metrics 2 requests failed, 1 sequences had no end." in page_of(report, levels)


def test_recipes_of_two_commits_are_told_apart():
    levels = made_levels()
    report = made_report(levels)
    run = report["recipes"]["video_chunk-http"]
    run["machine"] = run["machine"] | {"commit": "def"}
    text = page_of(report, levels)
    assert "- On 2 x a CPU, commit def, Triton 2.51.0: video_chunk-http.\n" in text
    assert "- On 2 x a CPU, commit abc, Triton 2.51.0: siglip_vision-b1-grpc, " in text


def test_a_file_of_one_machine_has_it_for_each_recipe():
    recipes = {"a": {"quick": True}, "b": {"triton": "2.52.0"}}
    assert read({"machine": {"commit": "x"}, "triton": "2.51.0", "recipes": recipes}) == {
        "recipes": {
            "a": {"quick": True, "triton": "2.51.0", "machine": {"commit": "x"}},
            "b": {"triton": "2.52.0", "machine": {"commit": "x"}},
        }
    }


def test_levels_that_varied_have_no_mean_ratio():
    levels = made_levels()
    report = made_report(levels)
    for run in report["recipes"].values():
        run["command"] += " --stability-percentage 50"
    text = " ".join(page_of(report, levels).split())
    assert "agree within 50 %. The ratio of two results would mean little" in text
    assert "gRPC with shared memory: 1.50 to 1.50 x the throughput at concurrency 16," in text
    chunks = {one: found for one, found in levels.items() if one.model == "video_chunk"}
    assert list(ratios(chunks, 50)) == []


def test_ratios_compare_the_same_requests():
    tower = {one: found for one, found in made_levels().items() if one.model == "siglip_vision"}
    slow = replace(RECIPES["siglip_vision-b4-http"])
    tower[slow] = {one: replace(level, per_second=50 * one) for one, level in tower[slow].items()}
    shared_grpc, shared_http, protocols = ratios(tower)
    assert shared_grpc.startswith(
        "gRPC with shared memory: 1.50 x (1.50 to 1.50) the throughput at"
    )
    assert "0.50 x (0.50 to 0.50) the time on the way at 1." in shared_grpc
    assert "(1.50 to 3.00)" in shared_http
    assert protocols.startswith("gRPC instead of HTTP: 1.12 x (1.00 to 2.00) the throughput")
    chunks = {one: found for one, found in made_levels().items() if one.model == "video_chunk"}
    (line,) = ratios(chunks)
    assert line == (
        "gRPC instead of HTTP: 1.00 x the throughput at concurrency 16, 1.00 x the time on the way"
        " at 1."
    )


def test_a_try_and_a_run_with_problems_are_no_results():
    fine = {"quick": False, "problems": []}
    runs = {
        "siglip_text-b1-grpc": fine,
        "siglip_text-b1-http": {**fine, "quick": True},
        "video_chunk-grpc": {**fine, "problems": ["1 sequences were started and not ended"]},
    }
    raw = {"results/run.json": {"recipes": runs}, "results/siglip_text-b1-grpc.csv": []}
    assert [recipe.name for recipe in read_all(raw)[1]] == ["siglip_text-b1-grpc"]


def ended(code=0, stderr=""):
    return subprocess.CompletedProcess([], code, "Request concurrency: 1\n", stderr)


@pytest.mark.parametrize(
    ("done", "counts", "sentence"),
    [
        (ended(99, "out of luck"), {}, r"ended with 99:\nRequest concurrency: 1\nout of luck$"),
        (ended(0, "Thread [0] had error: x"), {}, "reports errors:\nThread"),
        (ended(), {"failures": 2}, "counted 2 failed requests"),
        (ended(), {"requests": 29}, "answered 29 requests, measured are 30"),
        (ended(), {"live_sequences": 3}, "3 sequences were started and not ended"),
    ],
    ids=["ended", "errors", "failed", "lost", "left"],
)
def test_what_is_wrong_is_told(tmp_path, done, counts, sentence):
    file = tmp_path / "x.csv"
    file.write_text(REPORT)
    (problem,) = find_problems(done, replace(QUIET, **counts), 30, file)
    assert re.search(sentence, problem)


def test_nothing_is_wrong_with_a_good_run_but_a_missing_report_is(tmp_path):
    file = tmp_path / "x.csv"
    assert "ended with 0" in next(find_problems(ended(), QUIET, 30, file))
    file.write_text(REPORT)
    # What its set-up says on first use is no error.
    done = ended(stderr="Setting up .venv (serve), once.")
    assert list(find_problems(done, QUIET, 30, file)) == []


@pytest.fixture
def region():
    """Make regions of shared memory, gone after the test."""
    made = []

    def make(name):
        made.append(SHARED_MEMORY / name)
        made[-1].write_bytes(b"x")
        return made[-1]

    yield make
    for path in made:
        path.unlink(missing_ok=True)


def test_a_run_that_is_stopped_takes_its_regions_with_it_and_no_other(region):
    frames, embeddings, old = (f"{name}{os.getpid()}" for name in ("FRAMES", "EMBEDDINGS", "OLD"))
    others = [region(old)]
    run = contextlib.ExitStack()
    run.enter_context(removed_at_the_end([frames, embeddings, old]))
    own = [region(embeddings), region(f"{frames}_0_0"), region(f"{frames}_3_61")]
    others += [region(f"{frames}_0"), region(f"{embeddings}_0_0_x"), region(f"x{frames}_0_0")]
    with pytest.raises(SystemExit, match="stopped"), run:
        sys.exit("stopped")
    assert [path for path in own if path.exists()] == []
    assert [path for path in others if not path.exists()] == []


def test_the_servers_counts_are_of_the_run():
    def metrics(ok, failed, live):
        return parse_metrics(
            f'nv_inference_request_success{{model="siglip_text",version="1"}} {ok}\n'
            f'nv_inference_request_success{{model="siglip_vision",version="1"}} 1000\n'
            f'nv_inference_request_failure{{model="a",reason="OTHER",version="1"}} {failed}\n'
            f'nv_inference_request_failure{{model="b",reason="BACKEND",version="1"}} 0\n'
            f'trireel_live_sequences{{model="temporal_decoder",model_instance="x"}} {live}\n'
        )

    counts = count("siglip_text", metrics(10, 3, 4), metrics(50, 5, 1))
    assert counts == Counts(requests=40, failures=2, chunks=0, live_sequences=1)


def rows_at(rate):
    ways = dict.fromkeys(("Client Send", "Network+Server Send/Recv", "Client Recv"), "1")
    times = {"p50 latency": "1", "p95 latency": "1"}
    rates = {16: rate, 1: 5}
    return [
        {"Concurrency": str(level), "Inferences/Second": str(found), **ways, **times}
        for level, found in rates.items()
    ]


def test_recipes_are_set_beside_the_plain_ones():
    rates = {
        "siglip_vision-b4-grpc": 1.0,
        "siglip_vision-b4-http": 1.0,
        "siglip_vision-b16-grpc": 300.0,
        "siglip_vision-b16-grpc-shm": 450.0,
        "siglip_vision-b16-http": 200.0,
        "video_chunk-grpc": 9.0,
    }
    (run,) = headlines(raw_of({name: rows_at(rate) for name, rate in rates.items()}))
    shm = "siglip_vision-b16-grpc-shm, 16 at once"
    assert run.headlines == (
        Headline("siglip_vision-b16-grpc, 16 at once", 300.0, "frames/s", "HTTP", 200.0),
        Headline(shm, 450.0, "frames/s", "without shared memory", 300.0),
    )


def test_recipes_that_varied_are_set_beside_nothing():
    names = ("siglip_vision-b4-http", "siglip_vision-b16-grpc", "siglip_vision-b16-http")
    raw = raw_of(dict.fromkeys(names, rows_at(300.0)), command="x --stability-percentage 50")
    (found,) = headlines(raw)
    assert found.headlines == (
        Headline("siglip_vision-b16-grpc, 16 at once", 300.0, "frames/s"),
        Headline("siglip_vision-b16-http, 16 at once", 300.0, "frames/s"),
    )
    assert "within 50 %" in found.note
