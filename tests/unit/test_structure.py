# SPDX-License-Identifier: Apache-2.0
"""Rules of the house that a reviewer should not have to remember."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(
    path
    for folder in ("schema", "python_backend", "drawings", "export", "client", "model_repository")
    for path in (ROOT / folder).rglob("*.py")
)
MOST_LINES = 300
MOST_FUNCTION_LINES = 50
MOST_MODEL_LINES = 40


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_a_file_fits_into_one_sitting(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_functions_are_short(path):
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    long = {
        node.name: node.end_lineno - node.body[0].lineno + 1
        for node in functions
        if node.end_lineno - node.body[0].lineno >= MOST_FUNCTION_LINES
    }
    assert long == {}


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_every_file_states_its_licence(path):
    assert path.read_text().startswith("# SPDX-License-Identifier: Apache-2.0\n")


def test_only_the_adapter_and_the_models_know_triton():
    knowing = {
        name_of(path)
        for path in SHIPPED
        if re.search(r"^\s*(import|from) triton_python_backend_utils", path.read_text(), re.M)
    }
    assert knowing == {"python_backend/trireel_backend/triton/adapter.py"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "model_repository").glob("*/1/model.py")), ids=name_of
)
def test_models_are_thin_adapters(path):
    assert len(path.read_text().splitlines()) <= MOST_MODEL_LINES


def test_the_backends_logic_imports_without_triton():
    package = ROOT / "python_backend/trireel_backend"
    modules = sorted(
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in package.rglob("*.py")
        if path.stem not in ("adapter", "__init__")
    )
    code = (
        f"import {', '.join(modules)}, sys; print([m for m in sys.modules if 'triton_python' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_client_does_not_need_the_server_side():
    code = (
        "import trireel_client, sys;"
        "print([m for m in sys.modules if m.split('.')[0] in"
        " ('torch', 'av', 'onnxruntime', 'trireel_backend', 'trireel_drawings', 'trireel_export')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
