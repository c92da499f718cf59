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
    for folder in (
        *("app", "schema", "python_backend", "drawings", "export", "client"),
        "model_repository",
    )
    for path in (ROOT / folder).rglob("*.py")
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PACKAGES = sorted(path.parent for path in ROOT.glob("*/trireel_*/__init__.py"))
MOST_LINES = 300
MOST_TEST_LINES = 400
MOST_FUNCTION_LINES = 50
MOST_MODEL_LINES = 40


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_a_file_fits_into_one_sitting(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_every_package_is_held_to_the_rules():
    assert len(PACKAGES) == 6
    assert [path for path in PACKAGES if path / "__init__.py" not in SHIPPED] == []


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_a_test_file_fits_into_one_sitting(path):
    assert len(path.read_text().splitlines()) <= MOST_TEST_LINES


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_a_test_file_begins_with_its_subject(path):
    text = path.read_text()
    first_line = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    assert first_line.endswith("."), "the first line of the docstring is one sentence"


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_folders_of_tests_are_named_after_rooms(package):
    tests = ROOT / "tests/unit" / package.name.removeprefix("trireel_")
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    rooms = {
        Path(*(part.lstrip("_") for part in path.parent.relative_to(package).parts))
        for path in package.rglob("*.py")
    }
    # The models of the server's package have their adapters and configs beside the package.
    assert folders - rooms - {Path("model_repository")} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "tests/integration").glob("*.py")), ids=name_of)
def test_an_integration_test_imports_no_benchmark(path):
    imports = re.findall(r"^\s*(?:from|import)\s+benchmarks\b.*", path.read_text(), re.M)
    assert imports == []


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


@pytest.mark.parametrize("path", [*SHIPPED, *TESTS], ids=name_of)
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
