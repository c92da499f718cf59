# SPDX-License-Identifier: Apache-2.0
"""The whole output, from the parts of all videos in the videos' order; may be done twice."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trireel_app.analyse.facts import package_version
from trireel_app.jobs.job import Form, Job, JobSpec, Outcome, Video, VideoState
from trireel_app.jobs.output import parquet, places
from trireel_app.jobs.output.parts import PartLost, is_folder, json_line, read_part

MANIFEST_VERSION = 1
FILE_VIDEOS = 1000
FILE_BYTES = 256 * 2**20
"""A folder's file ends with the video that reaches one of these, so the division is always the
same."""


def assemble(job: Job, videos: Iterable[Video]) -> list[int]:
    """Write a job's output: its rows, the videos that failed, and the manifest.

    Returns:
        Numbers of the videos whose parts are lost: they have to be analysed again, and then all
        of this. Empty if the output is complete.

    Raises:
        LibraryError: if the output cannot be written.
    """
    known = list(videos)
    try:
        _assemble(job, known)
    except PartLost:
        return [
            video.number
            for video in known
            if video.state is VideoState.DONE and not _is_there(job, video)
        ]
    return []


def _assemble(job: Job, known: list[Video]) -> None:
    done = [video for video in known if video.state is VideoState.DONE]
    manifest = _beside(job.spec, "manifest.json")
    failures = _beside(job.spec, "failed.jsonl")
    places.remove([manifest])  # while files change, no manifest says that they belong together
    files = [_write_rows(job, address, group) for address, group in _files(job.spec, done)]
    if is_folder(job.spec):
        _remove_others(job.spec, files)
    failed = [_failure(video) for video in known if video.state is VideoState.FAILED]
    if failed:
        places.write(failures, b"".join(map(json_line, failed)))
    else:
        places.remove([failures])
    text = json.dumps(_manifest(job, known, files), indent=1, ensure_ascii=False)
    places.write(manifest, text.encode() + b"\n")


def output_files(spec: JobSpec) -> tuple[str, str]:
    """Return the addresses of the manifest and of the list of failures."""
    return _beside(spec, "manifest.json"), _beside(spec, "failed.jsonl")


def _beside(spec: JobSpec, name: str) -> str:
    """Return the address of a file about the output; readers of folders skip an underscore."""
    if is_folder(spec):
        return places.join(spec.output, f"_{name}")
    return f"{spec.output}.{name}"


def _is_there(job: Job, video: Video) -> bool:
    try:
        read_part(job.id, job.spec, video.number, _outcome(video))
    except PartLost:
        return False
    return True


def _files(spec: JobSpec, done: list[Video]) -> Iterator[tuple[str, list[Video]]]:
    if not is_folder(spec):
        yield spec.output, done
        return
    group: list[Video] = []
    number = 0
    for video in done:
        group.append(video)
        size_bytes = sum(_outcome(each).part_bytes for each in group)
        if len(group) == FILE_VIDEOS or size_bytes >= FILE_BYTES:
            yield places.join(spec.output, f"part-{number:05d}.{spec.form}"), group
            group, number = [], number + 1
    if group:
        yield places.join(spec.output, f"part-{number:05d}.{spec.form}"), group


def _write_rows(job: Job, address: str, videos: list[Video]) -> dict[str, Any]:
    """Write one file; return what the manifest says of it."""
    parts = (read_part(job.id, job.spec, video.number, _outcome(video)) for video in videos)
    with places.assembled(address) as path:
        if job.spec.form is Form.PARQUET:
            parquet.join_parts(parts, job.spec.rows, path)
        else:
            with path.open("wb") as file:
                file.writelines(parts)
        return {
            "name": address.rpartition("/")[2],
            "size_bytes": path.stat().st_size,
            "sha256": _sha256(path),
            "num_rows": sum(_outcome(video).num_rows for video in videos),
        }


def _remove_others(spec: JobSpec, files: list[dict[str, Any]]) -> None:
    """Remove files of an earlier output of the same folder."""
    ours = {file["name"] for file in files}
    found = [name for name in places.names_in(spec.output) if name.startswith("part-")]
    places.remove([places.join(spec.output, name) for name in found if name not in ours])


def _manifest(job: Job, videos: list[Video], files: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "manifest_version": MANIFEST_VERSION,
        "client": package_version(),
        "app": package_version("trireel-app"),
        "server": None if job.facts is None else job.facts.to_json(),
        "rows": job.spec.rows,
        "options": dict(sorted(job.spec.options.items())),
        "files": files,
        "videos": [_entry(video) for video in videos],
    }


def _entry(video: Video) -> dict[str, Any]:
    outcome = _outcome(video)
    known = {name: value for name, value in asdict(outcome.source).items() if value is not None}
    own = {"options": dict(video.source.options)} if video.source.options else {}
    failure = {"error": outcome.reason} if video.state is VideoState.FAILED else {}
    return {"video_path": video.source.uri, **own, **known, **failure}


def _failure(video: Video) -> dict[str, Any]:
    outcome = _outcome(video)
    own = {"options": dict(video.source.options)} if video.source.options else {}
    return {
        "video_path": video.source.uri,
        **own,
        "error": outcome.reason,
        "kind": outcome.kind,
    }


def _outcome(video: Video) -> Outcome:
    if video.outcome is None:
        raise PartLost(f"video {video.number} has not ended")
    return video.outcome


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
