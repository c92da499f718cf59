# SPDX-License-Identifier: Apache-2.0
"""The files of the models `text_detector` and `text_recognizer`: names, and if all are whole.

The graphs are PP-OCR's, converted and published by RapidOCR (both Apache-2.0).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from trireel_backend.errors import MissingPart
from trireel_backend.system.whole_files import environment_folder
from trireel_schema.wheels import Wheel

DETECTOR_MODEL, RECOGNIZER_MODEL = "text_detector", "text_recognizer"
"""Names of the models in the model repository."""
TEXT_MODELS = (DETECTOR_MODEL, RECOGNIZER_MODEL)

SMALL_DETECTOR_FILE = "detector_small.onnx"
"""PP-OCRv4's mobile detector: it takes a quarter of the large one's time on a CPU, and cuts off the
ends of some small lines."""
LARGE_DETECTOR_FILE = "detector_large.onnx"
"""PP-OCRv6's small detector."""
RECOGNIZER_FILE = "recognizer.onnx"
"""PP-OCRv6's small recognizer: 50 languages and 18 708 characters."""
CHARACTERS_FILE = "characters.json"
"""A list: the character of each code."""
LICENCE_FILE, NOTICE_FILE = "LICENSE.RapidOCR", "NOTICE.PP-OCR.md"
LIST_FILE = "files.json"
"""Hashes of the other files, and of the wheels that they are made of."""

OLDER = Wheel(
    "rapidocr-onnxruntime==1.4.4",
    "971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
)
NEWER = Wheel(
    "rapidocr==3.10.0", "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050"
)
WHEELS = (OLDER, NEWER)
FORMAT = 1
"""Number of the way in which the files are made; a change of `surgery` raises it."""

SET_UP = "run scripts/setup"


def default_folder() -> Path:
    """Return the folder of the models in this Python environment."""
    return environment_folder() / "text"


def check_models(folder: Path) -> None:
    """Raise MissingPart unless a folder holds the models whole, as this version makes them."""
    try:
        listed = json.loads((folder / LIST_FILE).read_bytes())
        found = {name: (folder / name).read_bytes() for name in listed["sha256"]}
    except OSError as error:
        raise MissingPart(
            f"{folder} holds no models that read text ({error.filename}: {error.strerror}):"
            f" {SET_UP}, which fetches them"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise MissingPart(f"{folder / LIST_FILE} is damaged ({error!r}): {SET_UP} again") from error
    if list_of(found) != json.dumps(listed, indent=1).encode():
        raise MissingPart(
            f"{folder} holds damaged models, or those of another version of Trireel: {SET_UP} again"
        )


def load_characters(folder: Path) -> list[str]:
    """Return the character of each code; raises MissingPart if the file cannot be read."""
    path = folder / CHARACTERS_FILE
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingPart(f"{path} cannot be read ({error}): {SET_UP} again") from error
    if not (isinstance(listed, list) and all(isinstance(entry, str) for entry in listed)):
        raise MissingPart(f"{path} is not a list of characters: {SET_UP} again")
    return listed


def list_of(contents: Mapping[str, bytes]) -> bytes:
    """Return the content of LIST_FILE for the other files by name."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    made_of = {wheel.requirement: wheel.sha256 for wheel in WHEELS}
    return json.dumps({"format": FORMAT, "made_of": made_of, "sha256": hashes}, indent=1).encode()
