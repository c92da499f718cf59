# SPDX-License-Identifier: Apache-2.0
"""The search over the moments of the caller's videos."""

import asyncio
from dataclasses import asdict
from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Depends, Query, UploadFile
from pydantic import BaseModel, Field

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.depends import PartsOf, needs, video_of
from trireel_app.gateway.failures import Invalid, TooLarge, UnsupportedType
from trireel_app.gateway.state import Parts
from trireel_app.index.search import Moment
from trireel_app.index.search import Query as MomentQuery
from trireel_app.index.search import search as search_moments
from trireel_app.index.where import Where
from trireel_app.sources.kinds import HEAD_BYTES, media_type

router = APIRouter(prefix="/v1/search", tags=["search"])
MOST_MOMENTS = 200
PICTURE_BYTES = 20 << 20
FORM_BYTES = PICTURE_BYTES + (64 << 10)
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif")

Searcher = Annotated[Access, Depends(needs("search"))]
Limit = Annotated[int, Query(ge=1, le=MOST_MOMENTS, description="Largest number of moments.")]
Videos = Annotated[list[str], Query(max_length=100, description="Ids of videos to search in.")]
Labels = Annotated[list[str], Query(max_length=20, description="Objects that are all seen.")]
Words = Annotated[str | None, Query(max_length=200, description="Text on the screen.")]


class MomentJson(BaseModel):
    """A stretch of a video that fits the search."""

    video: str = Field(examples=["5f0e3c9ab1d2e4f60718"])
    name: str = Field(examples=["sample.mp4"])
    start_seconds: float = Field(examples=[2.4])
    end_seconds: float = Field(examples=[4.8])
    best_seconds: float = Field(description="Time of the frame that fits best.", examples=[3.1])
    score: float | None = Field(None, description="Cosine of that frame; null without a query.")
    probability: float | None = None
    scene_index: int = 0
    tags: list[str] = []
    caption: str = ""
    on_screen: str = ""
    objects: list[str] = []
    thumbnail: str | None = Field(None, description="Address of the scene's picture.")


class MomentsJson(BaseModel):
    """Moments, best first."""

    moments: list[MomentJson]


@router.get("")
async def search(
    access: Searcher,
    parts: PartsOf,
    q: Annotated[str, Query(max_length=500, description="What the moments show, in words.")] = "",
    video: Videos = [],  # noqa: B006 - FastAPI copies it
    object: Labels = [],  # noqa: B006
    text: Words = None,
    limit: Limit = 20,
) -> MomentsJson:
    """Find moments in the caller's videos by words and conditions."""
    words = _clean(q)
    if not (words or video or object or text):
        raise Invalid("nothing to search for: give q, video, object or text")
    where = await asyncio.to_thread(_where, parts, access, video, object, text)
    if where is None:
        return MomentsJson(moments=[])
    query = MomentQuery(where=where)
    if words:
        embeddings, details = await parts.texts.embed([words])
        query = MomentQuery(words, embeddings[0], details.calibration, where)
    return await _found(parts, access, query, limit)


@router.post("", max_body_size=FORM_BYTES)
async def search_like(
    access: Searcher,
    parts: PartsOf,
    file: Annotated[UploadFile, "A picture: JPEG, PNG, WebP or GIF."],
    video: Videos = [],  # noqa: B006
    limit: Limit = 20,
) -> MomentsJson:
    """Find moments in the caller's videos that look like a picture."""
    picture = await file.read(PICTURE_BYTES + 1)
    if len(picture) > PICTURE_BYTES:
        raise TooLarge(f"the picture is larger than {PICTURE_BYTES >> 20} MiB")
    if media_type(picture[:HEAD_BYTES]) not in PICTURES:
        raise UnsupportedType("the file is no JPEG, PNG, WebP or GIF")
    where = await asyncio.to_thread(_where, parts, access, video, [], None)
    if where is None:
        return MomentsJson(moments=[])
    embedding = await parts.texts.embed_picture(picture)
    return await _found(parts, access, MomentQuery(embedding=embedding, where=where), limit)


def _where(
    parts: Parts, access: Access, videos: list[str], objects: list[str], text: str | None
) -> Where | None:
    """Return the conditions, which always name the caller's videos; None if there are none.

    Raises:
        NotFound: if one of the videos is not the caller's.
    """
    if videos:
        ids = [video_of(parts, access, video_id).id for video_id in videos]
    else:
        ids = parts.uploads.ids(access.owner)
    if not ids or parts.keeper.library.checkpoint() is None:
        return None
    # An empty condition on videos would mean those of all owners.
    return Where(
        videos=tuple(dict.fromkeys(ids)),
        objects=tuple(filter(None, map(_clean, objects))),
        on_screen=_clean(text) if text else None,
    )


async def _found(parts: Parts, access: Access, query: MomentQuery, limit: int) -> MomentsJson:
    def find() -> list[MomentJson]:
        found = search_moments(parts.keeper.store(), query, limit)
        names = parts.uploads.names(access.owner, [moment.video_id for moment in found])
        return [_json(moment, names) for moment in found if moment.video_id in names]

    return MomentsJson(moments=await asyncio.to_thread(find))


def _json(moment: Moment, names: dict[str, str]) -> MomentJson:
    values = asdict(moment)
    picture = PurePath(moment.thumbnail).name
    base = f"/v1/videos/{moment.video_id}/scenes/{moment.scene_index}/thumbnail"
    known = {name: values[name] for name in MomentJson.model_fields if name in values}
    known["thumbnail"] = base if picture else None
    return MomentJson(video=moment.video_id, name=names[moment.video_id], **known)


def _clean(text: str) -> str:
    """Return a text without control characters, which no index holds."""
    return " ".join("".join(s if s.isprintable() else " " for s in text).split())
