# SPDX-License-Identifier: Apache-2.0
"""Questions about the pictures of the best moments, to a model that looks at pictures.

It need not chat: it is asked one short question about one picture, so its answer belongs to one
time.
"""

import asyncio
import io
import re
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trireel_app.chat.limits import ChatLimits
from trireel_app.chat.models import Writer
from trireel_app.chat.plain_text import data
from trireel_app.chat.question import Kind, Question
from trireel_app.chat.sightings import Remark, Sighting
from trireel_app.errors import LibraryError
from trireel_client import TrireelError

DESCRIBE = "Describe the picture."
PLACE = "What place is this?"
PEOPLE = "How many people are there?"
COUNTS_PEOPLE = re.compile(r"\bhow many (people|persons|men|women|visitors|guests)\b", re.I)
MOST_CHARACTERS = 300
MOST_PICTURE_PX = 4096
ReadPicture = Callable[[str], bytes]


async def looked_at(
    writer: Writer,
    question: Question,
    sightings: Sequence[Sighting],
    read_picture: ReadPicture,
    limits: ChatLimits,
) -> tuple[Sighting, ...]:
    """Return sightings, the best of them with what a model says about their pictures.

    Without such a model, or if it takes too long, they are returned as they are.

    Args:
        read_picture: returns the bytes of a picture of the library; raises LibraryError.
    """
    prompt = question.text if limits.own_questions else _short(question)
    seen = {
        (sighting.video_id, sighting.thumbnail): sighting
        for sighting in reversed(sightings)
        if sighting.thumbnail
    }
    # Sightings of one scene share its picture, which belongs to the best of them.
    chosen = [sighting for sighting in sightings if sighting in seen.values()][: limits.pictures]
    work = [_remark(writer, prompt, sighting, read_picture, limits) for sighting in chosen]
    found = dict(zip(map(id, chosen), await asyncio.gather(*work), strict=True))
    return tuple(
        replace(sighting, remarks=(remark,)) if (remark := found.get(id(sighting))) else sighting
        for sighting in sightings
    )


def _short(question: Question) -> str:
    """Return a question that every such model understands, the bundled one too."""
    if question.kind is Kind.PLACE:
        return PLACE
    return PEOPLE if COUNTS_PEOPLE.search(question.text) else DESCRIBE


async def _remark(
    writer: Writer,
    prompt: str,
    sighting: Sighting,
    read_picture: ReadPicture,
    limits: ChatLimits,
) -> Remark | None:
    try:
        async with asyncio.timeout(limits.look_seconds):
            picture = await asyncio.to_thread(_pixels, read_picture, sighting.thumbnail)
            answer = writer.write(prompt, [picture], max_tokens=limits.look_tokens)
            async with aclosing(answer):
                pieces = [piece async for piece in answer]
    except (TrireelError, LibraryError, OSError, TimeoutError):
        return None
    text = data("".join(piece.text for piece in pieces), MOST_CHARACTERS)
    return Remark(prompt, text, pieces[-1].backend) if text else None


def _pixels(read_picture: ReadPicture, name: str) -> NDArray[np.uint8]:
    """Return a JPEG of the library as RGB [H, W, 3]; raises LibraryError or OSError."""
    with Image.open(io.BytesIO(read_picture(name)), formats=("JPEG",)) as picture:
        picture.thumbnail((MOST_PICTURE_PX, MOST_PICTURE_PX))
        return np.asarray(picture.convert("RGB"))
