# SPDX-License-Identifier: Apache-2.0
"""The results of a video: the answer, exports, pictures, the score trace, own tags."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from trireel_app.gateway.depends import PartsOf, own_video
from trireel_app.gateway.exports import export
from trireel_app.gateway.failures import Conflict, NotFound, Unavailable
from trireel_app.gateway.serving import attachment, not_modified
from trireel_app.gateway.state import Parts
from trireel_app.gateway.video_json import TagJson
from trireel_app.index.retag import retagged
from trireel_app.jobs.uploads import UploadRow, UploadState
from trireel_app.library import Entry, VideoRecord
from trireel_app.library.read import ANSWER, answer_of, entry_and_file, result_json
from trireel_schema.texts import TextSet
from trireel_schema.vectors import Calibration

router = APIRouter(prefix="/v1/videos/{video_id}", tags=["results"])
JSON = "application/json"
JPEG = "image/jpeg"
MOST_TAGS = 200
DECIMALS = 5

ReadableVideo = Annotated[UploadRow, Depends(own_video("videos:read"))]
OwnTag = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {JPEG: {}}, "description": "JPEG."}}
RESULT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The answer that docs/answer.schema.json describes, and `library`."}
}


class FramesJson(BaseModel):
    """The sampled frames of a video with their scene scores."""

    pts_seconds: list[float] = Field(description="Time of each frame.", examples=[[0.32, 0.96]])
    scores: list[float | None] = Field(description="Scene score of each frame; null if none.")


class OwnTags(BaseModel):
    """Tags in the caller's own words."""

    tags: list[OwnTag] = Field(min_length=1, max_length=MOST_TAGS, examples=[["a red circle"]])


class TagTrace(BaseModel):
    """How each own tag fits each sampled frame."""

    pts_seconds: list[float]
    probabilities: list[list[float]] = Field(
        description="A list for each tag, in the order of `tags`, with a value for each frame."
    )


class ScoredTags(BaseModel):
    """Own tags with their probabilities, best first."""

    tags: list[TagJson]
    frames: TagTrace


@router.get("/result", responses=RESULT)
def result(video: ReadableVideo, request: Request, parts: PartsOf) -> Response:
    """Return the whole analysis of a video, without embeddings."""
    entry, data = _file(parts, video, ANSWER)
    return not_modified(request, entry.generation) or Response(
        result_json(entry, data), media_type=JSON, headers=_kept(entry)
    )


@router.get("/exports/{name}", response_class=Response)
def exported(
    video: ReadableVideo,
    name: Annotated[str, Path(max_length=40, examples=["scenes.csv", "captions.vtt"])],
    parts: PartsOf,
) -> Response:
    """Return the scenes, captions, objects or everything as a file for other programs."""
    _, data = _file(parts, video, ANSWER)
    file = export(name, video.name, data)
    headers = {"Content-Disposition": attachment(file.name)}
    return Response(file.data, media_type=file.media_type, headers=headers)


@router.get("/thumbnail", responses=PICTURE, response_class=Response)
def poster(video: ReadableVideo, request: Request, parts: PartsOf) -> Response:
    """Return a picture that stands for the video: that of the scene in the middle."""
    entry = _entry(parts, video)
    pictures = sorted(name for name in entry.files if name.startswith("thumbnails/"))
    if not pictures:
        raise NotFound("the video has no picture")
    return _picture(parts, video, request, pictures[len(pictures) // 2])


@router.get("/scenes/{number}/thumbnail", responses=PICTURE, response_class=Response)
def scene_picture(
    video: ReadableVideo,
    number: Annotated[int, Path(ge=0, le=999_999, description="Index of the scene, from 0.")],
    request: Request,
    parts: PartsOf,
) -> Response:
    """Return the picture of a scene."""
    name = _entry(parts, video).thumbnail(number).rpartition("/thumbnails/")[2]
    if not name:
        raise NotFound("the scene has no picture")
    return _picture(parts, video, request, f"thumbnails/{name}")


@router.get("/frames")
def frames(video: ReadableVideo, parts: PartsOf) -> FramesJson:
    """Return the times of the sampled frames, and their scene scores."""
    answer = answer_of(_file(parts, video, ANSWER)[1])
    seconds: list[float] = []
    scores: list[float | None] = []
    for chunk in answer.get("chunks") or ():
        times = chunk.get("frame_timestamps_seconds") or []
        trace = chunk.get("scene_trace") or []
        seconds += times
        scores += [*trace, *[None] * len(times)][: len(times)]
    return FramesJson(pts_seconds=seconds, scores=scores)


@router.post("/tags")
async def own_tags(video: ReadableVideo, body: OwnTags, parts: PartsOf) -> ScoredTags:
    """Score tags in the caller's own words, from stored embeddings: nothing is decoded."""
    from anyio.to_thread import run_sync

    await run_sync(_entry, parts, video)
    texts = list(dict.fromkeys(body.tags))
    embeddings, details = await parts.texts.embed(texts)
    if details.calibration is None:
        raise Unavailable("the server is older than this gateway: it tells no calibration")
    text_set, calibration = TextSet(tuple(texts), embeddings), details.calibration
    return await run_sync(_scored, parts, video, text_set, calibration)


def _scored(parts: Parts, video: UploadRow, texts: TextSet, calibration: Calibration) -> ScoredTags:
    record: VideoRecord = parts.keeper.library.record(video.id)
    best = retagged(record, texts, calibration, len(texts.texts)).answer["tags"]
    by_text = {text: index for index, text in enumerate(texts.texts)}
    order = [by_text[tag["text"]] for tag in best]
    cosines = texts.embeddings[order] @ record.frames.embeddings.T
    probabilities = calibration.probabilities(np.asarray(cosines, np.float32))
    return ScoredTags(
        tags=[TagJson(text=tag["text"], probability=tag["probability"]) for tag in best],
        frames=TagTrace(
            pts_seconds=record.frames.timestamps_seconds.tolist(),
            probabilities=np.round(probabilities.astype(np.float64), DECIMALS).tolist(),
        ),
    )


def _picture(parts: Parts, video: UploadRow, request: Request, name: str) -> Response:
    entry, data = _file(parts, video, name)
    unchanged = not_modified(request, entry.generation)
    return unchanged or Response(data, media_type=JPEG, headers=_kept(entry))


def _entry(parts: Parts, video: UploadRow) -> Entry:
    entry = parts.keeper.library.entry(video.id)
    if entry is None:
        raise _no_results(video)
    return entry


def _file(parts: Parts, video: UploadRow, name: str) -> tuple[Entry, bytes]:
    found = entry_and_file(parts.keeper.library, video.id, name)
    if found is None:
        raise _no_results(video)
    return found


def _no_results(video: UploadRow) -> Conflict | NotFound:
    if video.state is UploadState.DONE:
        return NotFound("the library has no results of this video")
    return Conflict(f"the video is {video.state}: it has no results")


def _kept(entry: Entry) -> dict[str, str]:
    return {"ETag": f'"{entry.generation}"', "Cache-Control": "private, no-cache"}
