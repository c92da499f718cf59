# SPDX-License-Identifier: Apache-2.0
"""Files of tags and of descriptions: one text a line."""

from dataclasses import dataclass
from pathlib import Path

from trireel_schema.errors import FileDamaged, FileMissing


@dataclass(frozen=True)
class TextList:
    """The texts of a file."""

    texts: tuple[str, ...]
    """Texts in order, each once."""
    remarks: tuple[str, ...]
    """A sentence for each line that repeats another one and is left out."""


def read_text_list(path: Path) -> TextList:
    """Return the texts of a UTF-8 file, one a line; blank lines and lines from `#` on are skipped.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it cannot be read, or holds no texts.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise FileMissing(f"there is no file {str(path)!r}: give a file of texts") from error
    except (OSError, ValueError) as error:
        raise FileDamaged(f"{path} is not a readable UTF-8 text file: {error}") from error
    first_seen: dict[str, int] = {}
    texts: list[str] = []
    remarks: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        # The towers know lower case only: "Park" and "park" would be one tag with two names.
        first = first_seen.setdefault(text.lower(), number)
        if first == number:
            texts.append(text)
        else:
            remarks.append(
                f"{path}, line {number} says the same as line {first}, {text!r}: it is left out"
            )
    if not texts:
        raise FileDamaged(f"{path} holds no texts: give it one text a line")
    return TextList(tuple(texts), tuple(remarks))
