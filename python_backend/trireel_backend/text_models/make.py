# SPDX-License-Identifier: Apache-2.0
"""Make the models `text_detector` and `text_recognizer` of published wheels.

The wheels are neither installed nor imported: the graphs are read, and get our inputs and outputs.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from trireel_backend.errors import MissingPart
from trireel_backend.system.whole_files import write_whole
from trireel_backend.text_models.files import (
    CHARACTERS_FILE,
    LARGE_DETECTOR_FILE,
    LICENCE_FILE,
    LIST_FILE,
    NOTICE_FILE,
    RECOGNIZER_FILE,
    SMALL_DETECTOR_FILE,
    WHEELS,
    list_of,
)
from trireel_backend.text_models.surgery import characters, detector, recognizer
from trireel_schema.errors import SchemaError
from trireel_schema.wheels import Wheel, read_wheel

SMALL_DETECTOR_MEMBER = "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx"
LARGE_DETECTOR_MEMBER = "rapidocr/models/PP-OCRv6_det_small.onnx"
RECOGNIZER_MEMBER = "rapidocr/models/PP-OCRv6_rec_small.onnx"
LICENCE_MEMBERS = {
    LICENCE_FILE: "rapidocr-3.10.0.dist-info/licenses/LICENSE",
    NOTICE_FILE: "rapidocr-3.10.0.dist-info/licenses/MODEL_LICENSES.md",
}


def make_models(wheels: Sequence[Path], folder: Path) -> None:
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
    write_whole(folder, contents | {LIST_FILE: list_of(contents)})


def _members(paths: Sequence[Path], wheel: Wheel) -> zipfile.ZipFile:
    """Open one of the wheels, whose file name begins as its project's name does."""
    project, version = wheel.requirement.replace("-", "_").split("==")
    path = next((path for path in paths if path.name.startswith(f"{project}-{version}-")), None)
    if path is None:
        raise MissingPart(f"the wheel of {wheel.requirement} is missing: give both wheels")
    try:
        return zipfile.ZipFile(io.BytesIO(read_wheel(path, wheel)))
    except (SchemaError, zipfile.BadZipFile) as error:
        raise MissingPart(str(error)) from error
