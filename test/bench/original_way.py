"""A trial as in ClipRPN (Trento).

CLIP runs on every sample in every step, images are loaded one by one, and the RPN is torchvision's.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import box_iou
from torchvision.transforms import functional as transforms

from cliprpn.contract.generated import ClipRpnSpec
from cliprpn.data.index import DatasetIndex
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.inference.build import build_model
from cliprpn.models import ClipRPN
from cliprpn.models.backbone import ClipBackbone
from cliprpn.models.rpn_torchvision import square_images, torchvision_rpn
from cliprpn.seeding import seed_everything
from cliprpn.storage.weights_files import load_backbone
from cliprpn.trials.optimizer import make_optimizer
from cliprpn.trials.step_data import frame_targets

CPU = torch.device("cpu")
Seconds = Counter[str]


def train_original_way(spec: ClipRpnSpec, index: DatasetIndex, features: FrozenFeatures) -> Seconds:
    """Trains, and evaluates val after every epoch. Returns the seconds spent in each part.

    Without augmentation, as in our presets.

    Args:
        features: used only for the frames of the images.
    """
    seed_everything(spec.seed, spec.num_threads)
    backbone = load_backbone(spec.backbone.name, spec.backbone.weights)
    sizes = (backbone.map_channels, backbone.pooled_dim, backbone.word_dim)
    model = build_model(spec.settings, *sizes)
    rpn = original_rpn(model)
    settings = spec.settings.training
    optimizer = make_optimizer(model, settings, CPU)
    limits = spec.settings.limits
    train, val = index.split("train", limits.train), index.split("val", limits.val)
    spent: Seconds = Counter()
    order = np.random.default_rng(spec.seed)
    for _ in range(settings.num_epochs):
        model.train()
        rpn.train()
        for rows in _batches(order.permutation(train), settings.batch_size):
            fused = _fused(model, backbone, index, rows, spec.settings.image_size_px, spent)
            with _timed(spent, "region proposals"):
                targets = [{"boxes": box[None]} for box in frame_targets(model, index, features, rows)]
                _, losses = rpn(square_images(len(rows), model.frame_size_px), {"0": fused}, targets)
            with _timed(spent, "model"):
                optimizer.zero_grad(set_to_none=True)
                (losses["loss_objectness"] + losses["loss_rpn_box_reg"]).backward()
                optimizer.step()
        model.eval()
        rpn.eval()
        with torch.no_grad():
            for rows in _batches(val, settings.batch_size):
                fused = _fused(model, backbone, index, rows, spec.settings.image_size_px, spent)
                with _timed(spent, "region proposals"):
                    boxes, _ = rpn(square_images(len(rows), model.frame_size_px), {"0": fused})
                    best = torch.stack([boxes_i[0] for boxes_i in boxes])
                    box_iou(best, frame_targets(model, index, features, rows)).diagonal().mean().item()
    return spent


def original_rpn(model: ClipRPN) -> RegionProposalNetwork:
    """torchvision's RPN with the model's head and the numbers of proposals of ClipRPN (Trento)."""
    rpn = torchvision_rpn(model.head, model.anchors, model.head.cls_logits.out_channels, model.rules)
    rpn._pre_nms_top_n = rpn._post_nms_top_n = {"training": 200, "testing": 100}
    return rpn


def load_one_by_one(paths: list[Path], frame_size_px: int, image_size_px: int) -> Tensor:
    """As in ClipRPN (Trento): decodes, squashes to the frame as a tensor, then resizes to CLIP's size with PIL.

    Returns:
        [B, 3, image_size_px, image_size_px], in [0, 1].
    """
    pixels = []
    for path in paths:
        with Image.open(path) as image:
            decoded = transforms.pil_to_tensor(image.convert("RGB"))
        frame = transforms.resize(decoded, [frame_size_px, frame_size_px], antialias=True)
        squashed = transforms.to_pil_image(frame).resize(
            (image_size_px, image_size_px), Image.Resampling.BICUBIC
        )
        pixels.append(transforms.to_tensor(squashed))
    return torch.stack(pixels)


def _fused(
    model: ClipRPN,
    backbone: ClipBackbone,
    index: DatasetIndex,
    rows: np.ndarray,
    image_size_px: int,
    spent: Seconds,
) -> Tensor:
    """The fused feature map, [B, C, h, w], from files and sentences."""
    with _timed(spent, "images"):
        assert index.images_dir is not None
        names = index.images["file_name"].take(index.image_rows[rows]).to_pylist()
        paths = [index.images_dir / name for name in names]
        pixels = load_one_by_one(paths, model.frame_size_px, image_size_px)
    with _timed(spent, "CLIP"):
        feature_map = backbone.feature_map(pixels)
        sentences = index.sentences["sentence"].take(rows).to_pylist()
        pooled, words, mask = backbone.encode_text(backbone.tokenize(sentences))
    with _timed(spent, "model"):
        neck: nn.Module = model.neck if model.neck is not None else nn.Identity()
        return model.fusion_module(neck(feature_map), words, mask, pooled)


def _batches(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


@contextmanager
def _timed(spent: Seconds, part: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    spent[part] += time.perf_counter() - started
