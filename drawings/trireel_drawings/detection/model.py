# SPDX-License-Identifier: Apache-2.0
"""The tiny D-FINE: its size and its files."""

from pathlib import Path
from typing import Any

from trireel_drawings.detection.pictures import HEIGHT_PX, LABELS, WIDTH_PX

WIDTH = 96  # of encoder and decoder
HEADS = 4
BOXES = 60  # more than any scene has things
BACKBONE_STAGES = (48, 96, 160, 224)  # channels that each stage returns
BACKBONE_MIDDLES = (16, 24, 40, 56)
STEM = (3, 16, 24)


def build_detector() -> Any:
    """Return an untrained transformers.DFineForObjectDetection; seed torch first."""
    from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config

    backbone = HGNetV2Config(
        stem_channels=list(STEM),
        stage_in_channels=[STEM[-1], *BACKBONE_STAGES[:-1]],
        stage_mid_channels=list(BACKBONE_MIDDLES),
        stage_out_channels=list(BACKBONE_STAGES),
        stage_num_blocks=[1, 1, 1, 1],
        stage_numb_of_layers=[2, 3, 3, 3],
        stage_light_block=[False, False, True, True],
        hidden_sizes=list(BACKBONE_STAGES),
        depths=[1, 1, 1, 1],
        embedding_size=STEM[-1],
        out_indices=[2, 3, 4],
    )
    config = DFineConfig(
        backbone_config=backbone,
        # Frozen batch norms, the default, belong to a trained backbone: an untrained one learns
        # nothing behind them.
        freeze_backbone_batch_norms=False,
        encoder_in_channels=list(BACKBONE_STAGES[1:]),
        encoder_hidden_dim=WIDTH,
        encoder_ffn_dim=2 * WIDTH,
        encoder_attention_heads=HEADS,
        d_model=WIDTH,
        decoder_in_channels=[WIDTH] * 3,
        decoder_ffn_dim=2 * WIDTH,
        decoder_layers=2,
        decoder_attention_heads=HEADS,
        num_queries=BOXES,
        num_denoising=24,
        max_num_bins=16,
        lqe_hidden_dim=32,
        hidden_expansion=0.5,
        depth_mult=0.34,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    return DFineForObjectDetection(config)


def load_saved(folder: Path) -> Any:
    """Return the detector of a folder that `save_detector` wrote, in fp32."""
    import torch
    from transformers import DFineForObjectDetection

    return DFineForObjectDetection.from_pretrained(folder, dtype=torch.float32).eval()


def save_detector(model: Any, folder: Path) -> None:
    """Write an ordinary Hugging Face folder: weights in fp16, config and image processor."""
    import copy

    from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

    copy.deepcopy(model).half().save_pretrained(folder)  # half the bytes, the same detections
    size = {"height": HEIGHT_PX, "width": WIDTH_PX}
    RTDetrImageProcessorPil(size=size).save_pretrained(folder)
