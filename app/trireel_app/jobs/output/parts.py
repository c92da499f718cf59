# SPDX-License-Identifier: Apache-2.0
"""The part of the output that one video gives: a file of its own until the job is assembled."""

import hashlib
import json
from collections.abc import Sequence

from trireel_app.errors import LibraryError
from trireel_app.jobs.job import Form, JobSpec, Outcome
from trireel_app.jobs.output import parquet, places
from trireel_app.jobs.output.rows import Row, json_row


class PartLost(LibraryError):
    """A part is missing or damaged: its video has to be analysed again."""


def encoded(rows: Sequence[Row], spec: JobSpec) -> bytes:
    """Return rows in the job's format."""
    if spec.form is Form.PARQUET:
        return parquet.part_of(rows, spec.rows)
    return b"".join(json_line(json_row(row, spec.rows)) for row in rows)


def json_line(row: Row) -> bytes:
    """Return a row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def parts_folder(job_id: str, spec: JobSpec) -> str:
    """Return the folder of a job's parts, beside its output: on the same disk, or in S3."""
    folder = spec.output if is_folder(spec) else places.parent(spec.output)
    return places.join(folder, f"{places.TEMPORARY}{job_id}")


def part_address(job_id: str, spec: JobSpec, number: int) -> str:
    """Return the address of the part of one video."""
    return places.join(parts_folder(job_id, spec), f"{number:08d}.{spec.form}")


def is_folder(spec: JobSpec) -> bool:
    """Return whether the output is a folder, and not one file."""
    return not spec.output.endswith(f".{spec.form}")


def read_part(job_id: str, spec: JobSpec, number: int, outcome: Outcome) -> bytes:
    """Read the part of a video; raises PartLost if it is not the one that was written."""
    try:
        data = places.read(part_address(job_id, spec, number))
    except LibraryError as error:
        raise PartLost(f"the part of video {number} is lost: {error}") from error
    if hashlib.sha256(data).hexdigest() != outcome.part_sha256:
        raise PartLost(f"the part of video {number} is damaged")
    return data
