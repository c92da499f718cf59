# SPDX-License-Identifier: Apache-2.0
"""What a HEIF or AVIF still picture is made of, by ISO/IEC 23008-12: tiles, alpha, orientation.

FFmpeg gives every coded item of such a file as a stream of its own. Which of them are the picture,
and how they are put together, is read here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from trireel_backend.errors import NotAVideo
from trireel_backend.extraction.reading.boxes import Box, boxes, content, first_box, track_id

BRANDS = (b"mif1", b"heic", b"heix", b"heim", b"heis", b"avif")
SEQUENCE_BRANDS = (b"avis", b"msf1")
MOST_META_BYTES = 16 * 2**20
GRID, IDENTITY, OVERLAY = b"grid", b"iden", b"iovl"
CODED = frozenset((b"hvc1", b"av01", b"avc1", b"jpeg", b"vvc1"))
ALPHA_TYPES = (
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
)
FULL_BOX_BYTES = 4
MOST_DERIVATIONS = 4  # of a picture from a picture from a picture
IN_FILE, IN_META = 0, 1  # methods of construction of an item


@dataclass(frozen=True)
class Turn:
    """One step from the picture as it is stored to the upright one."""

    quarters: int = 0
    """Right angles, counter-clockwise."""
    mirrors: str = ""
    """`columns` if left and right are exchanged, `rows` if top and bottom are."""


@dataclass(frozen=True)
class Layer:
    """A picture made of tiles of the same size, row by row; of a single one if it has no grid."""

    items: tuple[int, ...]
    """Identifiers of the coded items, which are those of FFmpeg's streams."""
    columns: int = 1
    size_px: tuple[int, int] | None = None
    """Width and height; None for those of the single tile."""


@dataclass(frozen=True)
class HeifPicture:
    """The primary picture of a file."""

    colour: Layer
    alpha: Layer | None
    turns: tuple[Turn, ...]
    stated_size_px: tuple[int, int]
    """Width and height before it is turned; 0 if they are not stated."""


@dataclass
class _Meta:
    """The boxes of a file's `meta`, decoded."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    references: list[tuple[bytes, int, tuple[int, ...]]] = field(default_factory=list)
    properties: dict[int, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    places: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # method, begin, size
    inner_data_begin: int = 0


def heif_picture(path: Path) -> HeifPicture | None:
    """Read what a still picture is made of; None for a file of another kind or an animation.

    Raises:
        NotAVideo: it is damaged, or of a kind that is not read.
    """
    try:
        with path.open("rb") as file:
            if file.read(12)[4:8] != b"ftyp":
                return None
            meta = _still_meta(file, path.stat().st_size)
            return None if meta is None else _picture(file, _read_meta(file, meta))
    except OSError as error:
        raise NotAVideo(f"the file cannot be read: {error.strerror}") from error
    except (KeyError, IndexError, ValueError, StopIteration) as error:
        raise NotAVideo("the file is a HEIF or AVIF picture, but a damaged one") from error


def alpha_track(path: Path, track: int) -> int | None:
    """Return the track that holds the alpha of another one in an animated AVIF or HEIF."""
    with path.open("rb") as file:
        begin = file.read(64)
        if begin[4:8] != b"ftyp" or not any(brand in begin for brand in SEQUENCE_BRANDS):
            return None
        movie = first_box(file, 0, path.stat().st_size, b"moov")
        if movie is None:
            return None
        for part in boxes(file, movie.begin, movie.end):
            header = first_box(file, part.begin, part.end, b"tkhd")
            refers = first_box(file, part.begin, part.end, b"tref", b"auxl")
            if header is not None and refers is not None:
                targets = content(file, refers, 64)
                if targets[:4] == track.to_bytes(4):
                    return track_id(content(file, header, 24))
    return None


def _still_meta(file: BinaryIO, size: int) -> Box | None:
    meta = None
    for box in boxes(file, 0, size):
        if box.kind == b"ftyp":
            brands = content(file, box, 1024)
            if not any(brand in brands for brand in BRANDS):
                return None
        elif box.kind == b"moov":
            return None  # a sequence, which FFmpeg reads as a video
        elif box.kind == b"meta":
            meta = box
    return meta


def _picture(file: BinaryIO, meta: _Meta) -> HeifPicture | None:
    item = meta.primary
    turns: list[Turn] = []
    for _ in range(MOST_DERIVATIONS):
        turns = [*_turns(meta, item), *turns]
        if meta.kinds.get(item) != IDENTITY:
            break
        item = _referred(meta, b"dimg", item)[0]
    alpha = next((item for item in _auxiliaries(meta, meta.primary) if _is_alpha(meta, item)), None)
    return HeifPicture(
        colour=_layer(file, meta, item),
        alpha=None if alpha is None else _layer(file, meta, alpha),
        turns=tuple(turns),
        stated_size_px=_stated_size(meta, item),
    )


def _layer(file: BinaryIO, meta: _Meta, item: int) -> Layer:
    kind = meta.kinds[item]
    if kind == GRID:
        data = _item_data(file, meta, item)
        number_bytes = 4 if data[1] & 1 else 2
        rows, columns = data[2] + 1, data[3] + 1
        numbers = [data[at : at + number_bytes] for at in (4, 4 + number_bytes)]
        tiles = _referred(meta, b"dimg", item)
        if len(tiles) != rows * columns:
            raise ValueError
        return Layer(tiles, columns, (int.from_bytes(numbers[0]), int.from_bytes(numbers[1])))
    if kind not in CODED:
        what = "an overlay of others" if kind == OVERLAY else f"of kind {kind.decode('latin-1')!r}"
        raise NotAVideo(f"the picture is {what}, which is not read: convert it to JPEG or PNG")
    return Layer((item,))


def _item_data(file: BinaryIO, meta: _Meta, item: int) -> bytes:
    method, begin, size = meta.places[item]
    if method not in (IN_FILE, IN_META):
        raise ValueError
    file.seek(begin + (meta.inner_data_begin if method == IN_META else 0))
    return file.read(min(size, 64))


def _referred(meta: _Meta, kind: bytes, item: int) -> tuple[int, ...]:
    return next(to for what, source, to in meta.references if (what, source) == (kind, item))


def _auxiliaries(meta: _Meta, item: int) -> Iterator[int]:
    for kind, source, targets in meta.references:
        if kind == b"auxl" and item in targets:
            yield source


def _is_alpha(meta: _Meta, item: int) -> bool:
    described = (value[FULL_BOX_BYTES:] for kind, value in meta.properties.get(item, []))
    return any(value.startswith(ALPHA_TYPES) for value in described)


def _turns(meta: _Meta, item: int) -> list[Turn]:
    turns = []
    for kind, value in meta.properties.get(item, []):
        if kind == b"irot":
            turns.append(Turn(quarters=value[0] & 3))
        elif kind == b"imir":
            turns.append(Turn(mirrors="columns" if value[0] & 1 else "rows"))
    return turns


def _stated_size(meta: _Meta, item: int) -> tuple[int, int]:
    for kind, value in meta.properties.get(item, []):
        if kind == b"ispe":
            return int.from_bytes(value[4:8]), int.from_bytes(value[8:12])
    return 0, 0


def _read_meta(file: BinaryIO, box: Box) -> _Meta:
    meta = _Meta()
    begin = box.begin + FULL_BOX_BYTES
    for part in boxes(file, begin, box.end):
        if part.kind == b"pitm":
            data = content(file, part, 8)
            meta.primary = int.from_bytes(data[4 : 6 if data[0] == 0 else 8])
        elif part.kind == b"iinf":
            _read_kinds(file, part, meta)
        elif part.kind == b"iref":
            _read_references(file, part, meta)
        elif part.kind == b"iprp":
            _read_properties(file, part, meta)
        elif part.kind == b"iloc":
            _read_places(content(file, part, MOST_META_BYTES), meta)
        elif part.kind == b"idat":
            meta.inner_data_begin = part.begin
    return meta


def _read_kinds(file: BinaryIO, box: Box, meta: _Meta) -> None:
    count_bytes = 2 if content(file, box, 1) == b"\0" else 4
    for entry in boxes(file, box.begin + FULL_BOX_BYTES + count_bytes, box.end):
        data = content(file, entry, 16)
        id_bytes = 2 if data[0] == 2 else 4
        kind_at = 4 + id_bytes + 2
        meta.kinds[int.from_bytes(data[4 : 4 + id_bytes])] = data[kind_at : kind_at + 4]


def _read_references(file: BinaryIO, box: Box, meta: _Meta) -> None:
    id_bytes = 2 if content(file, box, 1) == b"\0" else 4
    for entry in boxes(file, box.begin + FULL_BOX_BYTES, box.end):
        data = content(file, entry, MOST_META_BYTES)
        source, count = int.from_bytes(data[:id_bytes]), int.from_bytes(data[id_bytes:][:2])
        targets = data[id_bytes + 2 :][: count * id_bytes]
        each = (targets[at : at + id_bytes] for at in range(0, len(targets), id_bytes))
        meta.references.append((entry.kind, source, tuple(map(int.from_bytes, each))))


def _read_properties(file: BinaryIO, box: Box, meta: _Meta) -> None:
    container = first_box(file, box.begin, box.end, b"ipco")
    if container is None:
        raise ValueError
    known = [
        (part.kind, content(file, part, 256))
        for part in boxes(file, container.begin, container.end)
    ]
    for part in boxes(file, box.begin, box.end):
        if part.kind == b"ipma":
            _read_associations(_Bytes(content(file, part, MOST_META_BYTES)), known, meta)


def _read_associations(data: "_Bytes", known: list[tuple[bytes, bytes]], meta: _Meta) -> None:
    version, flags = data.number(1), data.number(3)
    for _ in range(data.number(4)):
        item = data.number(2 if version == 0 else 4)
        for _ in range(data.number(1)):
            index = data.number(2) & 0x7FFF if flags & 1 else data.number(1) & 0x7F
            if index:
                meta.properties.setdefault(item, []).append(known[index - 1])


def _read_places(content_: bytes, meta: _Meta) -> None:
    data = _Bytes(content_)
    version = data.number(1)
    data.number(3)
    sizes, more_sizes = data.number(1), data.number(1)
    offset_bytes, length_bytes = sizes >> 4, sizes & 15
    base_bytes, index_bytes = more_sizes >> 4, more_sizes & 15 if version else 0
    for _ in range(data.number(2 if version < 2 else 4)):
        item = data.number(2 if version < 2 else 4)
        method = data.number(2) & 15 if version else IN_FILE
        data.number(2)  # which file: this one
        base = data.number(base_bytes)
        extents = data.number(2)
        if extents:
            data.number(index_bytes)
            begin, size = base + data.number(offset_bytes), data.number(length_bytes)
            meta.places[item] = (method, begin, size)
            data.number((extents - 1) * (index_bytes + offset_bytes + length_bytes))


class _Bytes:
    """Numbers read one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, size: int) -> int:
        """Return the next number of some bytes; raises ValueError at the end."""
        self._at += size
        if self._at > len(self._data):
            raise ValueError("the box ends within a number")
        return int.from_bytes(self._data[self._at - size : self._at])
