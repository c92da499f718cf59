# SPDX-License-Identifier: Apache-2.0
"""The tiny tower in every engine, whole and in slices."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cpu import ENGINES_HERE, needs_amx
from support.repository import EXPORT

from trireel_backend.errors import MissingPart, StartupError
from trireel_backend.towers.runtimes import check_tower_runtime
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import Tower, batches, rows_per_run
from trireel_backend.wire.parameters import read_settings

CPU = "CPUExecutionProvider"
CPUINFO = "processor\t: 0\nflags\t\t: fpu avx512f {}\n\nprocessor\t: 1\nflags\t\t: fpu\n"


@pytest.fixture(scope="module")
def known():
    with np.load(EXPORT / "gate.npz") as arrays:
        return dict(arrays)


def tower(engine="onnxruntime", *, rows_at_once=16, threads=2):
    settings = TowerSettings(threads, CPU, tower_engine=engine, rows_at_once=rows_at_once)
    return Tower(EXPORT / "vision.onnx", settings)


@given(sizes=st.lists(st.integers(0, 40), max_size=8), most_rows=st.integers(1, 50))
def test_batches_hold_all_rows_in_order_and_never_too_many(sizes, most_rows):
    rows = np.arange(sum(sizes))
    parts = np.split(rows, np.cumsum(sizes)[:-1]) if sizes else []
    found = list(batches(parts, most_rows))
    assert [len(batch) for batch in found[:-1]] == [most_rows] * len(found[:-1])
    assert all(0 < len(batch) <= most_rows for batch in found)
    np.testing.assert_array_equal(np.concatenate([[], *found]), rows)


@pytest.mark.parametrize(
    ("count", "lanes", "most_rows", "expected"),
    [
        (1, 2, 8, 1),
        (3, 2, 8, 2),
        (16, 2, 8, 8),
        (17, 2, 8, 5),  # four runs, not three: two lanes end together
        (128, 2, 8, 8),
        (128, 16, 4, 4),
        (40, 1, 16, 14),
        (128, 1, sys.maxsize, 128),
    ],
)
def test_runs_are_shared_out_among_the_lanes(count, lanes, most_rows, expected):
    assert rows_per_run(count, lanes, most_rows) == expected


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_do_not_change_the_answer(known, threads):
    frames = known["frames"]
    np.testing.assert_allclose(tower(threads=threads).run(frames), tower().run(frames), atol=1e-6)


def test_rows_of_one_part_are_not_copied():
    parts = [np.zeros((16, 3)), np.zeros((32, 3)), np.zeros((8, 3)), np.zeros((8, 3))]
    *whole, mixed = batches(parts, 16)
    owners = [parts[0], parts[1], parts[1]]
    assert all(np.shares_memory(a, b) for a, b in zip(whole, owners, strict=True))
    assert mixed.shape == (16, 3)


@pytest.mark.parametrize("engine", ENGINES_HERE)
def test_in_slices_as_at_once(known, engine):
    frames = known["frames"]
    whole = tower(engine, rows_at_once=len(frames)).run(frames)
    sliced = tower(engine, rows_at_once=5)
    np.testing.assert_allclose(sliced.run(frames), whole, atol=1e-6)
    parts = sliced.run_together([frames[:3], frames[3:3], frames[3:20], frames[20:]])
    assert [part.shape[0] for part in parts] == [3, 0, 17, len(frames) - 20]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("engine", "cosine"),
    [
        ("onnxruntime", 0.999999),
        ("openvino", 0.999999),
        pytest.param("openvino-bf16", 0.9999, marks=needs_amx),
    ],
)
def test_every_engine_sees_what_the_checkpoint_sees(known, engine, cosine):
    embeddings = tower(engine).run(known["frames"])
    assert embeddings.dtype == np.float32
    assert (embeddings * known["embeddings"]).sum(axis=1).min() > cosine


@needs_amx
def test_the_engines_compute_in_different_precision(known):
    fp32, bf16 = (tower(e).run(known["frames"]) for e in ("openvino", "openvino-bf16"))
    assert 1e-4 < np.abs(fp32 - bf16).max() < 1e-2


@pytest.mark.parametrize("engine", ENGINES_HERE)
def test_no_rows_have_no_embeddings(known, engine):
    assert tower(engine).run(known["frames"][:0]).shape == (0, known["embeddings"].shape[1])


@pytest.mark.parametrize("rows_at_once", [0, -1])
def test_rows_at_once_must_be_some(rows_at_once):
    with pytest.raises(StartupError, match=f"rows_at_once is {rows_at_once}: give 1 or more"):
        tower(rows_at_once=rows_at_once)


def test_the_settings_are_read_from_the_config():
    parameters = {"threads": "3", "providers": CPU}
    assert read_settings(TowerSettings, parameters) == TowerSettings(3, CPU, "onnxruntime", 16)
    more = parameters | {"tower_engine": "openvino", "rows_at_once": "8"}
    assert read_settings(TowerSettings, more) == TowerSettings(3, CPU, "openvino", 8)


def test_an_unknown_engine_is_named():
    known = "onnxruntime, openvino, openvino-bf16"
    with pytest.raises(StartupError, match=f"tower_engine is 'openvno': give one of {known}$"):
        tower("openvno")


def test_openvino_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    check_tower_runtime("onnxruntime")
    with pytest.raises(MissingPart, match=r"pip install .*'\./python_backend\[openvino\]'"):
        check_tower_runtime("openvino")


def test_bf16_is_for_cpus_with_amx(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(CPUINFO.format("avx512_bf16 amx_bf16 amx_tile"))
    check_tower_runtime("openvino-bf16", cpuinfo)
    for flags in ("", "avx512_bf16"):
        cpuinfo.write_text(CPUINFO.format(flags))
        check_tower_runtime("openvino", cpuinfo)
        with pytest.raises(StartupError, match=r"has no amx_bf16, .* slower than fp32: use 'openv"):
            check_tower_runtime("openvino-bf16", cpuinfo)
