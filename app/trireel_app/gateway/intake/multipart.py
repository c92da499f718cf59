# SPDX-License-Identifier: Apache-2.0
"""A form with a file, read as it comes: the file goes to the disk, the other fields are short.

The framework's own parser reads the whole form before a route runs. With this one the file's first
bytes are checked while the rest is on its way.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from trireel_app.gateway.failures import BadRequest, TooLarge

FIELD_BYTES = 256 << 10
"""Largest size of all fields but the file."""
MOST_FIELDS = 16
FILE = "file"


@dataclass
class Form:
    """The fields of a form."""

    filename: str = ""
    """Name that the sender gave the file; not to be trusted."""
    has_file: bool = False
    """True if the form had a file."""
    fields: dict[str, str] = field(default_factory=dict)
    """The other fields."""


async def read_form(
    content_type: str, body: AsyncIterator[bytes], write: Callable[[bytes], Awaitable[None]]
) -> Form:
    """Read a form; the bytes of its field `file` go to `write`.

    Raises:
        BadRequest: if it is not well formed.
        TooLarge: if the other fields are too large.
        HttpFailure: if `write` raises it.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise BadRequest("the form has no boundary: send multipart/form-data")
    reader = _Reader()
    try:
        parser = MultipartParser(options[b"boundary"], reader.callbacks())
        async for data in body:
            if data:
                parser.write(data)
            for piece in reader.taken():
                await write(piece)
        parser.finalize()
    except FormParserError as error:
        raise BadRequest("the form is not well formed") from error
    if not reader.has_ended:
        raise BadRequest("the form ends in the middle: send it whole")
    return reader.form


class _Reader:
    """The parser's callbacks: they collect what one piece of the body held."""

    def __init__(self) -> None:
        self.form = Form()
        self.has_ended = False
        self._pieces: list[bytes] = []
        self._header: list[bytes] = [b"", b""]
        self._disposition = b""
        self._name: str | None = None
        self._value = bytearray()
        self._fields_bytes = self._num_fields = 0

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def taken(self) -> list[bytes]:
        """Return the pieces of the file since the last call."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def _begin(self) -> None:
        self._num_fields += 1
        if self._num_fields > MOST_FIELDS:
            raise BadRequest(f"the form has too many fields: send at most {MOST_FIELDS}")
        self._disposition, self._name, self._value = b"", None, bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = [b"", b""]

    def _headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name != FILE:
            return
        if self.form.has_file:
            raise BadRequest("the form has two files: send one video in one request")
        self.form.has_file = True
        self.form.filename = _filename(options)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE:
            self._pieces.append(data[start:end])
            return
        self._fields_bytes += end - start
        if self._fields_bytes > FIELD_BYTES:
            raise TooLarge(f"the form's fields are too large: send at most {FIELD_BYTES} B")
        self._value += data[start:end]

    def _end(self) -> None:
        if self._name and self._name != FILE:
            self.form.fields[self._name] = self._value.decode("utf-8", "replace")

    def _finish(self) -> None:
        self.has_ended = True


def _filename(options: dict[bytes, bytes]) -> str:
    """Return the name of a file; `filename*` is encoded as RFC 5987 says."""
    if encoded := options.get(b"filename*"):
        message = Message()
        message["Content-Disposition"] = f"x; filename*={encoded.decode('ascii', 'replace')}"
        return message.get_filename() or ""
    return options.get(b"filename", b"").decode("utf-8", "replace")
