# SPDX-License-Identifier: Apache-2.0
"""Free texts of a request, which stand in for the bank's tags or descriptions."""

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import check_unit_length
from trireel_backend.wire.request import Request
from trireel_schema.catalogue import FREE_TEXTS
from trireel_schema.texts import TextSet


def free_texts(request: Request, name: str) -> TextSet | None:
    """Return the free texts of a request, None if it has none.

    Args:
        name: name of the input with the texts, a key of FREE_TEXTS.

    Raises:
        InvalidInput: if a text is not allowed, or the texts and their embeddings do not fit.
    """
    of_embeddings = FREE_TEXTS[name]
    texts, embeddings = request.texts(name), request.array(of_embeddings)
    if texts is None and embeddings is None:
        return None
    if texts is None or embeddings is None or not texts or len(texts) != len(embeddings):
        raise InvalidInput(
            f"got {0 if texts is None else len(texts)} {name} and"
            f" {0 if embeddings is None else len(embeddings)} {of_embeddings}: send both, one"
            " embedding (from siglip_text) for each text"
        )
    check_unit_length(of_embeddings, embeddings)
    return TextSet(texts, embeddings)


def check_width(name: str, texts: TextSet | None, bank: TextSet) -> None:
    """Reject embeddings of another width than the bank's; raises InvalidInput.

    Args:
        name: name of the input with the texts, a key of FREE_TEXTS.
    """
    width = bank.embeddings.shape[1]
    if texts is not None and texts.embeddings.shape[1] != width:
        raise InvalidInput(
            f"{FREE_TEXTS[name]} are {texts.embeddings.shape[1]} wide: this checkpoint's are"
            f" {width}"
        )
