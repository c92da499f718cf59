# SPDX-License-Identifier: Apache-2.0
"""Text that cannot act: what others wrote goes to a model as data, and to a reader as words.

Texts on the screen, tags, captions, names and the answer of a model may hold anything.
"""

import re

CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)
LINKS = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.|\b(?:javascript|vbscript|mailto):|\bdata:[a-z]+/)\S*"
    r"|\b(?:[a-z0-9-]{1,63}\.)+[a-z]{2,12}(?::\d+)?/\S*",
    re.IGNORECASE,
)
MOST_READ = 4  # times the characters that are kept: links become shorter
REMOVED_LINK = "(link removed)"
NO_MARKUP = str.maketrans({"<": "\u2039", ">": "\u203a", "`": "'"})
NO_BRACKETS = str.maketrans({"[": "(", "]": ")", "{": "(", "}": ")"})
MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\s]{0,500}\)")


def data(text: str, most_characters: int) -> str:
    """Return a text of others as it may stand in a prompt or an answer: one line, no markup.

    Brackets become round ones, so that it holds nothing that reads as a citation.
    """
    line = " ".join(CONTROLS.sub(" ", text[: MOST_READ * most_characters]).split())
    line = unlinked(line).translate(NO_MARKUP).translate(NO_BRACKETS)
    return line if len(line) <= most_characters else f"{line[: most_characters - 1]}…"


def unlinked(text: str) -> str:
    """Return a text whose links are named and gone."""
    return LINKS.sub(REMOVED_LINK, MARKDOWN_LINK.sub(r"\1", text))


def harmless(text: str) -> str:
    """Return a piece of a model's answer without links, markup and control characters.

    Line breaks stay. Brackets become round ones: those of citations are set afterwards.
    """
    lines = text.splitlines(keepends=True)
    clean = "".join(
        CONTROLS.sub(" ", line.rstrip("\r\n")) + ("\n" if line[-1:] in "\r\n" else "")
        for line in lines
    )
    return unlinked(clean).translate(NO_MARKUP).translate(NO_BRACKETS)
