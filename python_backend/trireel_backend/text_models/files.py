# SPDX-License-Identifier: Apache-2.0
"""Make the models `text_detector` and `text_recognizer` of published wheels, and find them.

The graphs are PP-OCR's, converted and published by RapidOCR (both Apache-2.0). They are read from
the wheels, which are neither installed nor imported, and get our inputs and outputs.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from trireel_backend.errors import MissingPart
from trireel_backend.system.whole_files import environment_folder, write_whole
from trireel_backend.text_models.surgery import characters, detector, recognizer
from trireel_schema.errors import SchemaError
from trireel_schema.wheels import Wheel, read_wheel

DETECTOR_MODEL, RECOGNIZER_MODEL = "text_detector", "text_recognizer"
"""Names of the models in the model repository."""
TEXT_MODELS = (DETECTOR_MODEL, RECOGNIZER_MODEL)

SMALL_DETECTOR_FILE = "detector_small.onnx"
"""PP-OCRv4's mobile detector: a quarter of the time of the large one on a CPU."""
LARGE_DETECTOR_FILE = "detector_large.onnx"
"""PP-OCRv6's small detector, for GPUs."""
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

SMALL_DETECTOR_MEMBER = "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx"
LARGE_DETECTOR_MEMBER = "rapidocr/models/PP-OCRv6_det_small.onnx"
RECOGNIZER_MEMBER = "rapidocr/models/PP-OCRv6_rec_small.onnx"
LICENCE_MEMBERS = {
    LICENCE_FILE: "rapidocr-3.10.0.dist-info/licenses/LICENSE",
    NOTICE_FILE: "rapidocr-3.10.0.dist-info/licenses/MODEL_LICENSES.md",
}
SET_UP = "run scripts/setup, which fetches it"


def default_folder() -> Path:
    """Return the folder of the models in this Python environment."""
    return environment_folder() / "text"


def make_models(wheels: Iterable[Path], folder: Path) -> None:
    """Write the models' files into `folder`; the list of them, which makes them valid, comes last.

    Args:
        wheels: the files of WHEELS, in any order.

    Raises:
        MissingPart: if a wheel is missing, damaged or another one; `folder` is then unchanged.
        OSError: if the folder cannot be written.
    """
    older, newer = (_members(wheels, wheel) for wheel in WHEELS)
    try:
        published = onnx.load_from_string(newer.read(RECOGNIZER_MEMBER))
        graphs = {
            SMALL_DETECTOR_FILE: detector(onnx.load_from_string(older.read(SMALL_DETECTOR_MEMBER))),
            LARGE_DETECTOR_FILE: detector(onnx.load_from_string(newer.read(LARGE_DETECTOR_MEMBER))),
            RECOGNIZER_FILE: recognizer(published),
        }
        contents = {name: graph.SerializeToString() for name, graph in graphs.items()}
        contents[CHARACTERS_FILE] = json.dumps(characters(published), ensure_ascii=False).encode()
        contents |= {name: newer.read(member) for name, member in LICENCE_MEMBERS.items()}
    except (KeyError, DecodeError, zipfile.BadZipFile) as error:
        raise MissingPart(f"a wheel does not hold the models of PP-OCR: {error}") from error
    (folder / LIST_FILE).unlink(missing_ok=True)
    write_whole(folder, contents | {LIST_FILE: _list_of(contents)})


def check_models(folder: Path) -> None:
    """Raise MissingPart unless a folder holds the models whole, as this version makes them."""
    try:
        listed = json.loads((folder / LIST_FILE).read_bytes())
        found = {name: (folder / name).read_bytes() for name in listed["sha256"]}
    except OSError as error:
        raise MissingPart(
            f"{folder} holds no models that read text ({error.filename}: {error.strerror}): {SET_UP}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise MissingPart(f"{folder / LIST_FILE} is damaged ({error!r}): {SET_UP} again") from error
    if _list_of(found) != json.dumps(listed, indent=1).encode():
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


def _list_of(contents: dict[str, bytes]) -> bytes:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    made_of = {wheel.requirement: wheel.sha256 for wheel in WHEELS}
    return json.dumps({"format": FORMAT, "made_of": made_of, "sha256": hashes}, indent=1).encode()


def _members(paths: Iterable[Path], wheel: Wheel) -> zipfile.ZipFile:
    """Open one of the wheels, whose file name begins as its project's name does."""
    project, version = wheel.requirement.replace("-", "_").split("==")
    path = next((path for path in paths if path.name.startswith(f"{project}-{version}-")), None)
    if path is None:
        raise MissingPart(f"the wheel of {wheel.requirement} is missing: give both wheels")
    try:
        return zipfile.ZipFile(io.BytesIO(read_wheel(path, wheel)))
    except (SchemaError, zipfile.BadZipFile) as error:
        raise MissingPart(str(error)) from error
