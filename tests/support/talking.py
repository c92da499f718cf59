# SPDX-License-Identifier: Apache-2.0
"""A loopback server that embeds questions and writes answers, and a library that fits it."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image
from unit.client.loopback_grpc import grpc_server
from unit.client.scripted import UNAVAILABLE, Asked, Script, Tensors, bytes_of, details

from support.records import CHECKPOINT, record
from trireel_app.index.keeper import Keeper
from trireel_app.library import Label, Library, VideoRecord

PIECE_LETTERS = 5
CLIP = record("/clips/clip.mp4", 0)
OTHER = record("/clips/other.mp4", 1)


@dataclass
class Talker:
    """What the server writes."""

    address: str
    """HOST:PORT of gRPC."""
    script: Script
    """Script of the server."""
    text: Callable[[str], str] | None = None
    """Text model: from a prompt to an answer; None if there is none."""
    sight: Callable[[str], str] | None = None
    """Model that looks at pictures, the same."""
    breaks_after: int | None = None
    """Number of pieces after which the text model breaks off."""
    scenes: dict[str, np.ndarray] = field(default_factory=dict)
    """Embedding of each text that the tower knows; all others fit nothing."""
    prompts: list[Asked] = field(default_factory=list)
    """Requests to the text model."""

    def embed(self, asked: Asked) -> Tensors:
        """Answer as `siglip_text`."""
        texts = [text.decode() for text in asked.inputs["TEXTS"].ravel()]
        nothing = -np.mean(list(self.scenes.values()), axis=0)
        rows = [self.scenes.get(text, nothing) for text in texts]
        return {"EMBEDDINGS": np.stack(rows).astype(np.float32)}

    def describe(self, asked: Asked) -> Iterator[Tensors]:
        """Answer as `describe`."""
        has_pictures = "IMAGES" in asked.inputs
        model = self.sight if has_pictures else self.text
        if not has_pictures:
            self.prompts.append(asked)
        if model is None:
            raise UNAVAILABLE
        answer = model(asked.inputs["PROMPT"][0].decode())
        pieces = [answer[at : at + PIECE_LETTERS] for at in range(0, len(answer), PIECE_LETTERS)]
        for number, piece in enumerate(pieces, 1):
            if number == self.breaks_after:
                raise UNAVAILABLE
            yield {
                "TEXT": bytes_of([piece]),
                "BACKEND": bytes_of(["eyes" if has_pictures else "words"]),
                "NUM_TOKENS": np.array([number], np.int32),
                "FINISH": bytes_of(["stop" if number == len(pieces) else ""]),
            }


@contextmanager
def talker() -> Iterator[Talker]:
    """Serve a tower that knows `red yard N` of CLIP and `blue yard N` of OTHER, and no models."""
    script = Script()
    with grpc_server(script) as address:
        found = Talker(address, script)
        for name, made in (("red", CLIP), ("blue", OTHER)):
            for index in range(len(made.scenes)):
                # The second frame of a scene, which has four.
                found.scenes[f"{name} yard {index}"] = made.frames.embeddings[4 * index + 1]
        script.answers.update(
            siglip_text=found.embed, describe=found.describe, server_info=lambda asked: facts()
        )
        yield found


def facts() -> Tensors:
    """Return the answer of `server_info` of the records' checkpoint."""
    return {
        **details(),
        "CHECKPOINT": bytes_of([CHECKPOINT.name]),
        "WEIGHTS_SHA256": bytes_of([CHECKPOINT.weights_sha256]),
        "EMBEDDING_DIM": np.array([CHECKPOINT.embedding_dim], np.int32),
        "LOGIT_SCALE": np.array([20.0], np.float32),
        "LOGIT_BIAS": np.array([-15.0], np.float32),
    }


def with_pictures(made: VideoRecord, labels: tuple[Label, ...] = ()) -> VideoRecord:
    """Return a record whose thumbnails are real pictures."""
    scenes = tuple(replace(scene, thumbnail=_jpeg(i)) for i, scene in enumerate(made.scenes))
    return replace(made, scenes=scenes, labels=labels)


def keeper_of(folder: Path, *records: VideoRecord) -> Keeper:
    """Return a library with records."""
    keeper = Keeper(Library(folder))
    for made in records:
        keeper.put(made)
    return keeper


def _jpeg(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 24), (40 * shade, 80, 120)).save(file, "JPEG")
    return file.getvalue()
