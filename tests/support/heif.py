# SPDX-License-Identifier: Apache-2.0
"""HEIF and AVIF pictures of tiles, alpha and turns, written box by box."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from support.videos import write_video

ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
CODECS = {"hevc": ("libx265", b"hvc1", b"hvcC"), "av1": ("libsvtav1", b"av01", b"av1C")}


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return (8 + len(content)).to_bytes(4) + kind + content


def full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, bytes([version]), flags.to_bytes(3), *parts)


@dataclass
class Item:
    """An item of a picture; a grid's data names the tiles that its references do."""

    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()
    refers: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    in_meta: bool = False


def coded_item(
    folder: Path, pixels: NDArray[np.uint8], codec: str = "hevc", pixel_format: str = "yuv420p"
) -> Item:
    """Encode a picture [H, W, 3] as an item."""
    encoder, kind, configuration = CODECS[codec]
    quiet = {"x265-params": "log-level=none", "crf": "4"} if codec == "hevc" else {"crf": "8"}
    path = folder / "tile.mp4"
    write_video(
        path, [pixels] * 3, codec=encoder, pixel_format=pixel_format, options=quiet, gop=None
    )
    data = path.read_bytes()
    at = data.index(configuration) - 4
    properties = (data[at : at + int.from_bytes(data[at : at + 4])], size_property(pixels.shape))
    with av.open(str(path)) as container:
        packet = next(container.demux(video=0))
        return Item(kind, bytes(packet), properties)


def size_property(shape: tuple[int, ...]) -> bytes:
    return full_box(b"ispe", shape[1].to_bytes(4), shape[0].to_bytes(4))


def grid_item(rows: int, columns: int, shape: tuple[int, int], tiles: tuple[int, ...]) -> Item:
    """Make a grid of tiles, a picture of `shape` (height, width)."""
    numbers = bytes([0, 0, rows - 1, columns - 1])
    data = numbers + shape[1].to_bytes(2) + shape[0].to_bytes(2)
    return Item(b"grid", data, (size_property(shape),), ((b"dimg", tiles),))


def turns(*, quarters: int | None = None, mirror: int | None = None) -> tuple[bytes, ...]:
    rotation = () if quarters is None else (box(b"irot", bytes([quarters])),)
    return rotation + (() if mirror is None else (box(b"imir", bytes([mirror])),))


def alpha_of(item: Item, number: int) -> Item:
    """Make an item the alpha of another one, by its number."""
    item.properties += (full_box(b"auxC", ALPHA),)
    item.refers += ((b"auxl", (number,)),)
    return item


def write_heif(path: Path, items: list[Item], primary: int, brand: bytes = b"heic") -> Path:
    """Write items, numbered from 1, of which one is the picture."""
    head = box(b"ftyp", brand, bytes(4), b"mif1", brand, b"miaf")
    meta = _meta(items, primary, data_begin=0)
    path.write_bytes(
        head
        + _meta(items, primary, data_begin=len(head) + len(meta) + 8)
        + box(b"mdat", *(item.data for item in items if not item.in_meta))
    )
    return path


def _meta(items: list[Item], primary: int, data_begin: int) -> bytes:
    properties: list[bytes] = []
    associations, places, entries, references, inner = [], [], [], [], b""
    at = data_begin
    for number, item in enumerate(items, 1):
        name = number.to_bytes(2)
        entries.append(full_box(b"infe", name, bytes(2), item.kind, b"\0", version=2))
        properties += [part for part in item.properties if part not in properties]
        indices = bytes(0x80 | 1 + properties.index(part) for part in item.properties)
        associations.append(name + bytes([len(indices)]) + indices)
        begin = len(inner) if item.in_meta else at
        extent = begin.to_bytes(4) + len(item.data).to_bytes(4)
        places.append(name + bytes([0, item.in_meta]) + bytes(2) + (1).to_bytes(2) + extent)
        if item.in_meta:
            inner += item.data
        else:
            at += len(item.data)
        for kind, targets in item.refers:
            ids = b"".join(target.to_bytes(2) for target in targets)
            references.append(box(kind, name, len(targets).to_bytes(2), ids))
    count = len(items)
    return full_box(
        b"meta",
        full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", primary.to_bytes(2)),
        full_box(b"iloc", b"\x44\x00", count.to_bytes(2), *places, version=1),
        full_box(b"iinf", count.to_bytes(2), *entries),
        full_box(b"iref", *references) if references else b"",
        box(
            b"iprp",
            box(b"ipco", *properties),
            full_box(b"ipma", count.to_bytes(4), *associations),
        ),
        box(b"idat", inner) if inner else b"",
    )
