"""Grounds one sentence in one image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cliprpn.contract.generated import GroundResult
from cliprpn.data.pixels import open_pixels, read_manifest
from cliprpn.errors import CliprpnError
from cliprpn.inference.checkpoint import load_model
from cliprpn.inference.predict import to_image_clipped
from cliprpn.storage.openai_weights import content_id
from cliprpn.storage.weights_files import load_backbone


def ground(
    model_file: Path,
    backbone_weights: str | None,
    pixels_manifest: Path,
    sentence: str,
    device: torch.device,
) -> GroundResult:
    """The box that a trained model predicts for a sentence, in pixels of the image after EXIF rotation.

    Args:
        model_file: a .safetensors file.
        backbone_weights: `shipped`, `openai` or a file; None for the file that the model recorded.
        pixels_manifest: manifest of the prepared image, resized as the model expects.

    Raises:
        CliprpnError: not_found, weights_*, data_invalid.
    """
    image = read_manifest(pixels_manifest).shards[0].pictures[0]
    if image.problem is not None:
        raise CliprpnError("data_invalid", image.problem)
    saved = load_model(model_file)
    weights = backbone_weights or saved.backbone.weights
    backbone = load_backbone(saved.backbone.name, weights).to(device)
    found, expected = content_id(backbone.weights_id), content_id(saved.backbone.weights_id)
    if found != expected:
        raise CliprpnError(
            "weights_mismatch",
            f"{weights}: expected the backbone that the model was trained with (SHA-256 {expected[:12]}...), found "
            f"{found[:12]}...; restore that file",
        )
    model = saved.model.to(device).eval()
    prepared = open_pixels(pixels_manifest.parent)
    pixels = prepared.batch(np.zeros(1, dtype=np.int64)).to(device)
    pooled, words, mask = backbone.encode_text(backbone.tokenize([sentence]).to(device))
    # Rounded to half precision, like the cached features that the model was trained on.
    feature_map = backbone.feature_map(pixels.float() / 255).half().float()
    boxes, objectness = model.predict_top1(feature_map, words.half().float(), mask, pooled.half().float())
    sizes = torch.tensor([[image.width, image.height]], dtype=torch.float64)
    zoom = model.frame_size_px / prepared.image_size_px
    box = to_image_clipped(boxes.cpu().double(), prepared.frames, sizes, zoom)[0]
    score, probability = float(objectness[0]), saved.hit_probability
    return GroundResult.model_validate(
        {
            "pred_box_xyxy": [round(value, 2) for value in box.tolist()],
            "objectness": score,
            "hit_probability": None if probability is None else probability.at(score),
            "sure": None if probability is None else probability.is_sure(score),
            "image_width": image.width,
            "image_height": image.height,
            "sentence": sentence,
        }
    )
