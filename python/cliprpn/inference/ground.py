"""One sentence, one image, one box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cliprpn.contract.generated import GroundResult
from cliprpn.data.pixels import open_pixels, read_manifest
from cliprpn.errors import CliprpnError
from cliprpn.inference.checkpoint import load_model
from cliprpn.inference.predict import in_image
from cliprpn.storage.weights_files import load_backbone


def ground(model_path: Path, pixels_manifest: Path, sentence: str, device: torch.device) -> GroundResult:
    """The box that a trained model gives for a sentence, in pixels of the image the right way up.

    Args:
        pixels_manifest: of the one image's pixels, prepared as the model wants them.

    Raises:
        CliprpnError: not_found, weights_*, data_invalid.
    """
    picture = read_manifest(pixels_manifest).shards[0].pictures[0]
    if picture.problem is not None:
        raise CliprpnError("data_invalid", picture.problem)
    saved = load_model(model_path)
    backbone = load_backbone(saved.backbone.name, saved.backbone.weights).to(device)
    if backbone.weights_id != saved.backbone.weights_id:
        raise CliprpnError(
            "weights_mismatch",
            f"{saved.backbone.weights}: expected the backbone that the model was trained on (SHA-256 "
            f"{saved.backbone.weights_id[:12]}...), found another ({backbone.weights_id[:12]}...)",
        )
    model = saved.model.to(device).eval()
    prepared = open_pixels(pixels_manifest.parent)
    pixels = prepared.batch(np.zeros(1, dtype=np.int64)).to(device)
    pooled, words, mask = backbone.encode_text(backbone.tokenize([sentence]).to(device))
    # Features are kept in half precision; a single image is held to the same.
    map = backbone.feature_map(pixels.float() / 255).half().float()
    boxes, objectness = model.predict_top1(map, words.half().float(), mask, pooled.half().float())
    sizes = torch.tensor([[picture.width, picture.height]], dtype=torch.float64)
    zoom = model.frame_size_px / prepared.image_size_px
    box = in_image(boxes.cpu().double(), prepared.frames, sizes, zoom)[0]
    return GroundResult.model_validate(
        {
            "pred_box_xyxy": [round(value, 2) for value in box.tolist()],
            "objectness": float(objectness[0]),
            "image_width": picture.width,
            "image_height": picture.height,
            "sentence": sentence,
        }
    )
