# SPDX-License-Identifier: Apache-2.0
"""`tokenizer.json`: text to ids with the `tokenizers` library alone.

The file lower-cases, removes punctuation, adds the end token, and cuts or pads to the checkpoint's
length, so that a server can neither forget one of these nor do it differently.
"""

from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from trireel_export.errors import UnsupportedCheckpoint
from trireel_export.siglip.checkpoint import Checkpoint

SPACE_PIECE = "▁"  # how sentencepiece writes a space
ASCII_PUNCTUATION = r"[!-/:-@\[-`{-~]"  # string.punctuation, which SigLIP removes
FINAL_SIGMA = r"(?<=\p{L})Σ(?!\p{L})"  # `tokenizers` lower-cases it to another letter
UNIGRAM = 1  # TrainerSpec.ModelType of sentencepiece


def build_tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    """Return the checkpoint's tokenizer, complete and on its own.

    Raises:
        UnsupportedCheckpoint: if it is neither of `tokenizers` nor a sentencepiece unigram model.
    """
    own = checkpoint.processor.tokenizer
    if hasattr(own, "backend_tokenizer"):
        tokenizer = _copy(own.backend_tokenizer, lower_case=not checkpoint.lower_cases)
    elif hasattr(own, "sp_model"):
        tokenizer = _from_sentencepiece(own)
    else:
        raise UnsupportedCheckpoint(
            f"{checkpoint.name} has a tokenizer of type {type(own).__name__}: only sentencepiece"
            " models and those of the tokenizers library can be exported"
        )
    tokenizer.enable_truncation(checkpoint.text_length, direction=own.truncation_side)
    tokenizer.enable_padding(
        direction=own.padding_side,
        pad_id=own.pad_token_id,
        pad_token=own.pad_token,
        length=checkpoint.text_length,
    )
    return tokenizer


def _copy(backend: Tokenizer, *, lower_case: bool) -> Tokenizer:
    tokenizer = Tokenizer.from_str(backend.to_str())
    if lower_case:
        own = [tokenizer.normalizer] if tokenizer.normalizer else []
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *own])
    return tokenizer


def _from_sentencepiece(own: Any) -> Tokenizer:
    from sentencepiece import sentencepiece_model_pb2

    spec = sentencepiece_model_pb2.ModelProto.FromString(own.sp_model.serialized_model_proto())
    if spec.trainer_spec.model_type != UNIGRAM:
        raise UnsupportedCheckpoint(
            "only sentencepiece models of the unigram type can be exported, this one is of type"
            f" {spec.trainer_spec.model_type}"
        )
    tokenizer = Tokenizer(
        models.Unigram(
            [(piece.piece, piece.score) for piece in spec.pieces],
            unk_id=spec.trainer_spec.unk_id,
            byte_fallback=spec.trainer_spec.byte_fallback,
        )
    )
    tokenizer.normalizer = _canonical_text(
        lower_case=own.do_lower_case, charsmap=spec.normalizer_spec.precompiled_charsmap
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(SPACE_PIECE, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {own.eos_token}", special_tokens=[(own.eos_token, own.eos_token_id)]
    )
    return tokenizer


def _canonical_text(*, lower_case: bool, charsmap: bytes) -> normalizers.Normalizer:
    """Return the steps of SiglipTokenizer, followed by those of its sentencepiece model."""
    lower = [normalizers.Replace(Regex(FINAL_SIGMA), "ς"), normalizers.Lowercase()]
    spaces = [normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    return normalizers.Sequence(
        [
            normalizers.Replace(SPACE_PIECE, " "),
            *(lower if lower_case else []),
            normalizers.Replace(Regex(ASCII_PUNCTUATION), ""),
            *spaces,
            *([normalizers.Precompiled(charsmap)] if charsmap else []),
            # The charsmap turns wide and non-breaking spaces into plain spaces.
            *spaces,
        ]
    )
