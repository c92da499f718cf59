# SPDX-License-Identifier: Apache-2.0
"""The documents stay readable: short lines, short table cells, links that lead somewhere."""

import re
from pathlib import Path

import pytest

from trireel_schema.catalogue import FINDINGS, TENSORS

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
DOCUMENTS = [*(ROOT / page for page in PAGES), *sorted((ROOT / "docs").glob("*.md"))]
MOST_LINE_CHARACTERS = 140
MOST_CELL_CHARACTERS = 160
MOST_ARCHITECTURE_LINES = 175

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def prose(document: Path) -> str:
    """Return a document's text without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S)


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives a document's headings."""
    titles = re.findall(r"^#+ (.*)$", prose(document), re.M)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@each_document
def test_no_line_is_long(document: Path) -> None:
    lines = enumerate(document.read_text().splitlines(), 1)
    assert [number for number, line in lines if len(line) > MOST_LINE_CHARACTERS] == []


@each_document
def test_no_table_cell_is_a_paragraph(document: Path) -> None:
    rows = (line for line in prose(document).splitlines() if line.startswith("|"))
    cells = (cell.strip() for row in rows for cell in row.split("|"))
    assert [cell for cell in cells if len(cell) > MOST_CELL_CHARACTERS] == []


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        page = (document.parent / name).resolve() if name else document
        assert page.exists(), target
        assert not anchor or anchor in anchors(page), target


def test_the_architecture_is_one_page() -> None:
    lines = (ROOT / "ARCHITECTURE.md").read_text().splitlines()
    assert len(lines) <= MOST_ARCHITECTURE_LINES


@pytest.mark.parametrize("name", [*TENSORS, *FINDINGS])
def test_every_tensor_and_finding_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/tensors.md").read_text()
