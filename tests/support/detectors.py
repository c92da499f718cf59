# SPDX-License-Identifier: Apache-2.0
"""Tiny detectors with random weights: the published classes and processors, saved to a folder."""

import json
from pathlib import Path

import torch
from transformers import (
    DFineConfig,
    DFineForObjectDetection,
    HGNetV2Config,
    RfDetrConfig,
    RfDetrForObjectDetection,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
)
from transformers.models.rf_detr.configuration_rf_detr import RfDetrDinov2Config
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

WIDTH_PX, HEIGHT_PX = 96, 64
LABELS = ("person", "bicycle", "N/A", "car", "N/A")
QUERIES = 12
WIDTH = 32
SPREAD = 0.05  # of the noise on all weights: without it all boxes have nearly the same score


def d_fine() -> DFineForObjectDetection:
    backbone = HGNetV2Config(
        stem_channels=[3, 8, 8],
        stage_in_channels=[8, 16, 16, 24],
        stage_mid_channels=[8, 8, 8, 8],
        stage_out_channels=[16, 16, 24, 32],
        stage_num_blocks=[1, 1, 1, 1],
        stage_numb_of_layers=[1, 1, 1, 1],
        hidden_sizes=[16, 16, 24, 32],
        depths=[1, 1, 1, 1],
        embedding_size=8,
        out_indices=[2, 3, 4],
    )
    return DFineForObjectDetection(
        DFineConfig(
            backbone_config=backbone,
            encoder_in_channels=[16, 24, 32],
            decoder_n_points=2,
            max_num_bins=8,
            depth_mult=0.34,
            lqe_hidden_dim=8,
            **_transformer(),
        )
    )


def rt_detr_v2() -> RTDetrV2ForObjectDetection:
    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    return RTDetrV2ForObjectDetection(
        RTDetrV2Config(backbone_config=backbone, encoder_in_channels=[16, 24, 32], **_transformer())
    )


def rf_detr() -> RfDetrForObjectDetection:
    backbone = RfDetrDinov2Config(
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=96,
        patch_size=16,
        num_windows=2,
        out_indices=[1, 2],
    )
    return RfDetrForObjectDetection(
        RfDetrConfig(
            backbone_config=backbone,
            d_model=WIDTH,
            decoder_ffn_dim=WIDTH,
            decoder_layers=2,
            decoder_n_points=2,
            decoder_self_attention_heads=2,
            decoder_cross_attention_heads=4,
            num_queries=QUERIES,
            group_detr=1,
            **_names(),
        )
    )


FAMILIES = {"d_fine": d_fine, "rt_detr_v2": rt_detr_v2, "rf_detr": rf_detr}
NORMALISES = {"d_fine": False, "rt_detr_v2": False, "rf_detr": True}
SIZES_PX = {"rf_detr": (96, 96)}  # its windows are square here


def save_tiny(family: str, folder: Path, **processor: object) -> Path:
    """Save a tiny detector of a family with its processor; return the folder."""
    torch.manual_seed(1)
    model = FAMILIES[family]()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * SPREAD)
    _settle(model)
    model.save_pretrained(folder)
    width, height = SIZES_PX.get(family, (WIDTH_PX, HEIGHT_PX))
    settings = {
        "size": {"height": height, "width": width},
        "do_normalize": NORMALISES[family],
        **processor,
    }
    RTDetrImageProcessorPil(**settings).save_pretrained(folder)
    if family == "rf_detr":  # its own class needs torchvision to be saved
        path = folder / "preprocessor_config.json"
        path.write_text(
            json.dumps(
                json.loads(path.read_text()) | {"image_processor_type": "RfDetrImageProcessor"}
            )
        )
    return folder


def _settle(model: torch.nn.Module) -> None:
    """Fit the batch norms to random pictures: otherwise all pictures look alike to the model."""
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train()
            module.momentum = 1.0
    with torch.no_grad():
        for _ in range(3):
            model(pixel_values=torch.rand(4, 3, 96, 96).round())
    model.eval()


def _names() -> dict[str, object]:
    return {
        "id2label": dict(enumerate(LABELS)),
        "label2id": {name: index for index, name in enumerate(LABELS)},
    }


def _transformer() -> dict[str, object]:
    return {
        "encoder_hidden_dim": WIDTH,
        "encoder_ffn_dim": WIDTH,
        "encoder_attention_heads": 2,
        "d_model": WIDTH,
        "decoder_in_channels": [WIDTH] * 3,
        "decoder_ffn_dim": WIDTH,
        "decoder_layers": 2,
        "decoder_attention_heads": 2,
        "num_queries": QUERIES,
        "freeze_backbone_batch_norms": False,
        **_names(),
    }
