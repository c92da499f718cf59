# SPDX-License-Identifier: Apache-2.0
"""scripts/build_engine around a stand-in of trtexec: what it leaves and what it says.

This tests the script and nothing of TensorRT. What it does after trtexec, with a real Triton, is in
tests/integration/test_gate.py.
"""

import ast
import fcntl
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.trtexec import set_precision, tools_environment, write_tools

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/build_engine"
NAME = "_fp16_H200_sm9.0_trt11.1.0_b1-64-128"


@pytest.fixture
def export(tmp_path):
    target = tmp_path / "export"
    shutil.copytree(ROOT / "export/tiny/model", target)
    set_precision(target, "fp16")
    return target


class Script:
    """The script with tools of its own on PATH."""

    def __init__(self, folder, export):
        self.tools, self.engines, self.export = folder / "tools", folder / "engines", export
        self.calls = self.tools / "calls"
        write_tools(self.tools)
        self.write_tritonserver("echo 'E1121 10:00:00 cannot load it'; exit 1")

    def write_tritonserver(self, lines):
        program = self.tools / "tritonserver"
        program.write_text(f"#!/bin/sh\n{lines}\n")
        program.chmod(0o755)

    def start(self, *options):
        return subprocess.Popen(
            [
                *(SCRIPT, "--export", self.export, "--engines", self.engines),
                *("--models", ROOT / "model_repository", "--model", "siglip_vision"),
                *("--tritonserver", self.tools / "tritonserver", *options),
            ],
            env={**tools_environment(self.tools), "PYTHON": sys.executable},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *options):
        process = self.start(*options)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def left(self):
        """Return the endings of the files in the folder of engines, but for the lock's."""
        return sorted(path.name.partition("_b1-64-128")[2] for path in self.engines.glob("*_b1*"))

    def arguments(self):
        (call,) = self.calls.read_text().splitlines()
        return dict(argument.partition("=")[::2] for argument in ast.literal_eval(call))


@pytest.fixture
def script(tmp_path, export):
    return Script(tmp_path, export)


def refused(outcome):
    """Check that the script said one sentence and failed; return the sentence."""
    code, _, err = outcome
    assert code == 1
    assert err.startswith("build_engine: ")
    assert "Traceback" not in err
    assert err.count("\n") == 1
    return err


def test_trtexec_is_asked_for_an_engine_of_this_export(script):
    script.run("--batch-sizes", "1:16:64", "--optimization-level", "2", "--workspace-mib", "512")
    given = script.arguments()
    assert given["--onnx"] == str(script.export / "vision.onnx")
    assert given["--optShapes"] == "FRAMES:16x96x96x3"
    assert given["--maxShapes"] == "FRAMES:64x96x96x3"
    assert given["--builderOptimizationLevel"] == "2"
    assert given["--memPoolSize"] == "workspace:512"
    cache = script.engines / "timing_H200_sm9.0_trt11.1.0.cache"
    assert given["--timingCacheFile"] == str(cache)
    assert cache.read_bytes() == b"timed", "is kept for the next build"


def test_an_engine_that_is_there_is_not_built_again(script):
    script.engines.mkdir()
    engine = script.engines / f"checkpoint_2e0abb2998c7{NAME}.plan"
    engine.write_bytes(b"built before")
    code, out, err = script.run()
    assert (code, err) == (0, "")
    assert out == f"{engine} is there already.\n"
    assert not script.calls.exists()
    script.run("--force")
    assert script.calls.exists()
    assert engine.read_bytes() == b"built before", "the new one has not passed the gate"


def test_an_engine_that_triton_does_not_load_is_not_kept(script):
    message = refused(script.run())
    assert "Triton does not load the engine: E1121 10:00:00 cannot load it; its log is" in message
    assert script.left() == [".log"]


def test_a_failure_of_trtexec_is_told_and_its_log_kept(script):
    line = "[11/21/2026-10:00:00] [E] Error[10]: Could not find any implementation for node"
    write_tools(script.tools, before_saving=f"print({line!r}); sys.exit(1)")
    message = refused(script.run())
    assert f"trtexec failed with 1: {line}; its log is" in message
    assert script.left() == [".log"]
    (log,) = script.engines.glob("*.log")
    assert line in log.read_text()


def test_a_trtexec_that_writes_nothing_has_failed(script):
    write_tools(script.tools, before_saving="sys.exit(0)")
    assert "trtexec failed with 0: &&&& RUNNING" in refused(script.run())
    assert script.left() == [".log"]


def test_trtexec_10_is_given_what_it_knows(script):
    """The stand-in is as strict as trtexec: were an argument wrong, this would not go on."""
    write_tools(script.tools, major=10)
    assert "Triton does not load the engine" in refused(script.run())
    assert "--stronglyTyped" in script.arguments()
    (script.tools / "calls").unlink()
    write_tools(script.tools, before_saving="print('[E] Unknown option: --new'); sys.exit(1)")
    assert "trtexec failed with 1: [E] Unknown option: --new" in refused(script.run())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: write_tools(s.tools, gpus=""), "one kind of GPU is required.*no GPU"),
        (
            lambda s: (s.export / "vision.onnx").unlink(),
            "lacks vision.onnx: give the output folder",
        ),
        (lambda s: (s.export / "metadata.json").unlink(), "metadata.json"),
        (lambda s: s.engines.write_text("a file"), "File exists"),
        (lambda s: (s.tools / "trtexec").write_text("#!/bin/sh\nexit 3\n"), "failed with 3"),
        (lambda s: (s.tools / "tritonserver").unlink(), "tritonserver is not there: run this in"),
    ],
    ids=["no GPU", "no graph", "no metadata", "engines are a file", "no driver", "no Triton"],
)
def test_what_is_missing_is_named_before_anything_is_built(script, spoil, message):
    spoil(script)
    error = refused(script.run())
    assert re.search(message, error)
    assert not script.calls.exists()


def test_wrong_batch_sizes_are_refused(script):
    assert "got batch sizes '64': give least:best:most" in refused(
        script.run("--batch-sizes", "64")
    )


def test_where_an_engine_does_not_fit_it_says_so(script, tmp_path):
    """The export claims weights of more bytes than any disk has; a sparse file is enough."""
    free_bytes = shutil.disk_usage(tmp_path).free
    with (script.export / "vision.onnx.data").open("wb") as weights:
        weights.truncate(free_bytes + 2**30)
    message = refused(script.run())
    assert "MiB free, an engine of siglip_vision needs about" in message
    assert not script.calls.exists()


def test_two_builds_wait_for_each_other(script):
    script.engines.mkdir()
    with (script.engines / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = script.start()
        assert process.stdout.readline() == f"Another process is building in {script.engines}:" + (
            " waiting for it.\n"
        )
        assert not script.calls.exists()
        # The other one was faster.
        (script.engines / f"checkpoint_2e0abb2998c7{NAME}.plan").write_bytes(b"built meanwhile")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.endswith("is there already.\n")
    assert not script.calls.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_a_build_that_is_cut_off_leaves_nothing_to_be_found(script, number):
    begun = script.tools / "begun"
    write_tools(
        script.tools,
        before_saving="\n".join(
            (
                "open(given['--saveEngine'], 'wb').write(b'half')",
                f"open({str(begun)!r}, 'w').write(str(os.getpid()))",
                "time.sleep(60)",
            )
        ),
    )
    process = script.start()
    deadline = time.monotonic() + 30
    while not begun.exists() or not begun.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert script.left() == [".log", *([".plan.unfinished"] if number == signal.SIGKILL else [])]
    trtexec = Path("/proc") / begun.read_text()
    while trtexec.exists() and "Z" not in (trtexec / "stat").read_text().split()[2]:
        assert time.monotonic() < deadline, "trtexec goes on"
        time.sleep(0.05)
    write_tools(script.tools)
    refused(script.run())  # does not come through here either, but tidies up
    assert script.left() == [".log"]
