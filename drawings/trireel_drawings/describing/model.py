# SPDX-License-Identifier: Apache-2.0
"""The tiny PaliGemma: its size and its files."""

from pathlib import Path
from typing import Any

from trireel_drawings.describing.pictures import IMAGE_SIZE_PX

WIDTH = 128  # of the language model and of the tower
LAYERS = 3
HEADS, HEAD_WIDTH = 4, 32
MLP_WIDTH = 384
MOST_TOKENS = 1024  # of a question with its pictures
BOS = "<bos>"
PATCH_PX = 16
TOKENS_PER_IMAGE = (IMAGE_SIZE_PX // PATCH_PX) ** 2

# The model knows one question at a time: the template renders the user's last message alone.
CHAT_TEMPLATE = (
    "{%- set last = messages | selectattr('role', 'equalto', 'user') | list | last -%}"
    "{%- if last['content'] is string -%}{{ last['content'] }}{%- else -%}"
    "{%- for part in last['content'] if part['type'] == 'image' -%}<image>{%- endfor -%}"
    "{%- for part in last['content'] if part['type'] == 'text' -%}"
    "{{ part['text'] }}"
    "{%- endfor -%}{%- endif -%}"
)


def build_processor(siglip: Path) -> Any:
    """Return a transformers.PaliGemmaProcessor with the tokenizer of the tiny SigLIP.

    Args:
        siglip: folder of the tiny SigLIP.
    """
    from transformers import AutoTokenizer, PaliGemmaProcessor
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer = AutoTokenizer.from_pretrained(siglip)
    tokenizer.add_special_tokens({"bos_token": BOS})
    # The tower's texts are padded to one length and end with a token; questions are not.
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    backend.post_processor = _no_post_processor()
    tokenizer.padding_side = "left"
    tokenizer.model_max_length = MOST_TOKENS
    tokenizer.init_kwargs.pop("max_length", None)
    images = SiglipImageProcessorPil.from_pretrained(siglip)
    images.image_seq_length = TOKENS_PER_IMAGE
    return PaliGemmaProcessor(images, tokenizer, chat_template=CHAT_TEMPLATE)


def build_model(processor: Any, siglip: Path) -> Any:
    """Return an untrained PaliGemmaForConditionalGeneration over the frozen tower.

    Seed torch first.

    Args:
        processor: its processor.
        siglip: folder of the tiny SigLIP, whose tower it takes.
    """
    from transformers import (
        GemmaConfig,
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        SiglipModel,
    )

    tokenizer, tower = processor.tokenizer, SiglipModel.from_pretrained(siglip).vision_model
    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    text = GemmaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=MLP_WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=1,
        head_dim=HEAD_WIDTH,
        max_position_embeddings=MOST_TOKENS,
        **ids,
    )
    config = PaliGemmaConfig(
        vision_config={**tower.config.to_dict(), "vision_use_head": False},
        text_config=text.to_dict(),
        image_token_index=processor.image_token_id,
        projection_dim=WIDTH,
        hidden_size=WIDTH,
        **ids,
    )
    model = PaliGemmaForConditionalGeneration(config)
    own = model.model.vision_tower
    known = own.state_dict().keys()  # not the head, which pools
    own.load_state_dict({name: w for name, w in tower.state_dict().items() if name in known})
    own.requires_grad_(False)
    return model


def save(model: Any, processor: Any, folder: Path) -> None:
    """Write an ordinary Hugging Face folder."""
    model.generation_config.max_new_tokens = 32
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def load_saved(folder: Path) -> tuple[Any, Any]:
    """Return the model and the processor of a folder that `save` wrote."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    return (
        AutoModelForImageTextToText.from_pretrained(folder).eval(),
        AutoProcessor.from_pretrained(folder),
    )


def _no_post_processor() -> Any:
    from tokenizers.processors import ByteLevel

    return ByteLevel(trim_offsets=False)
