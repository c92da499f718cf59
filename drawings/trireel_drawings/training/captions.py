# SPDX-License-Identifier: Apache-2.0
"""Captions and the tokenizer that reads them."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from trireel_drawings.painting.dice import Dice
from trireel_drawings.places.register import PAIRS
from trireel_drawings.places.vocabulary import (
    DESCRIPTION_PROMPTS,
    PARAPHRASES,
    TAG_PROMPTS,
    TAG_SYNONYMS,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

TEXT_LENGTH = 64  # tokens; every text is padded or cut to it, as SigLIP was trained
VOCABULARY_SIZE = 768  # 256 bytes, the special tokens and the words of the captions
PAD, EOS, UNK = "<pad>", "</s>", "<unk>"
PUNCTUATION = r"[!-/:-@\[-`{-~]"  # removed, as SigLIP does
OTHER_WORDS_SHARE = 0.4  # share of training captions in other words


def tag_caption(dice: Dice, tag: str) -> str:
    """Return a random sentence for a tag."""
    word = dice.pick(TAG_SYNONYMS[tag]) if dice.chance(OTHER_WORDS_SHARE) else tag
    return dice.pick(TAG_PROMPTS).format(word)


def description_caption(dice: Dice, description: str) -> str:
    """Return a random sentence for a description."""
    words = dice.pick(PARAPHRASES[description]) if dice.chance(OTHER_WORDS_SHARE) else description
    return dice.pick(DESCRIPTION_PROMPTS).format(words)


def pair_caption(dice: Dice, tag: str, description: str) -> str:
    """Return a random sentence for an activity in a place."""
    return f"{description_caption(dice, description).rstrip('.')} in a {tag}"


def all_captions() -> Iterator[str]:
    """Yield every caption at least once, for the vocabulary."""
    for words, prompts in ((TAG_SYNONYMS, TAG_PROMPTS), (PARAPHRASES, DESCRIPTION_PROMPTS)):
        for word in chain(words, *words.values()):
            yield from (prompt.format(word) for prompt in prompts)
    yield from (f"{description} in a {tag}" for tag, description in PAIRS)


def build_tokenizer() -> "PreTrainedTokenizerFast":
    """Return a byte-level BPE tokenizer that knows the words of the captions.

    It lower-cases a text, removes punctuation and repeated spaces, and pads to TEXT_LENGTH. Unknown
    words are split into pieces, down to single bytes.
    """
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=_train_bpe(),
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNK,
        model_max_length=TEXT_LENGTH,
        model_input_names=["input_ids"],
        padding_side="right",
    )


def _train_bpe() -> "Tokenizer":
    from tokenizers import (
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
        trainers,
    )

    tokenizer = Tokenizer(models.BPE(unk_token=UNK))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(PUNCTUATION), ""),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=[PAD, EOS, UNK],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(all_captions(), trainer)
    end = tokenizer.token_to_id(EOS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {EOS}", special_tokens=[(EOS, end)]
    )
    tokenizer.enable_truncation(TEXT_LENGTH)
    tokenizer.enable_padding(length=TEXT_LENGTH, pad_id=tokenizer.token_to_id(PAD), pad_token=PAD)
    return tokenizer
