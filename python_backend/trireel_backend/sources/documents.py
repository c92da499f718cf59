# SPDX-License-Identifier: Apache-2.0
"""Distinguish a web page or an error document from a video by its first bytes.

A share link returns a page, and a store an error in XML or JSON, both often with status 200.
Content-Type is no help: some stores call every file text/html.
"""

import codecs
import re

from trireel_backend.errors import NotAVideo

HEAD_BYTES = 1024
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
HTML = re.compile(
    r"<(!doctype\s+html|html|head|body|script|meta|title|style|iframe|div|table|h1|p|a)\b", re.I
)
COMMENT = re.compile(r"<!--.*?(-->|$)", re.DOTALL)
STORE_ERROR = re.compile(r"<Code>([A-Za-z0-9]{1,40})</Code>")


def reject_document(source: str, head: bytes) -> None:
    """Reject a file that is a page or a text document.

    Args:
        source: name of the file for messages, without secrets.
        head: first HEAD_BYTES bytes of the file, or all of a shorter one.

    Raises:
        NotAVideo: if the file is HTML, XML or JSON.
    """
    kind = _document_kind(head)
    if kind is not None:
        raise NotAVideo(
            f"{source} answered with {kind} instead of a video: give the link of the file itself,"
            " such as its download link or a signed URI"
        )


def _document_kind(head: bytes) -> str | None:
    text = _text(head)
    if text is None or not text.startswith(("<", "{", "[")):
        return None
    if text.startswith(("{", "[")):
        return "a JSON document"
    if HTML.search(COMMENT.sub("", text)):
        return "a web page (HTML)"
    error = STORE_ERROR.search(text)
    return f"an XML document ({error[1]})" if error else "an XML document"


def _text(head: bytes) -> str | None:
    """Return the head as text without leading spaces, None if its bytes are not text."""
    encoding = "latin-1"  # "<html" has the same bytes in all encodings of HTML except UTF-16
    for mark, name in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            head, encoding = head.removeprefix(mark), name
    text = head.decode(encoding, "ignore").lstrip()
    return None if CONTROLS.search(text) else text
