"""One sentence, one picture, one box."""

from __future__ import annotations

from pathlib import Path

import torch

from cliprpn.checkpoint import load_model
from cliprpn.contract.generated import GroundResult
from cliprpn.data.images import load_upright
from cliprpn.errors import CliprpnError
from cliprpn.evaluation import to_picture
from cliprpn.models.weights_files import load_backbone


def ground(model_path: Path, image_file: Path, sentence: str, device: torch.device) -> GroundResult:
    """The box that a trained model gives for a sentence, in pixels of the picture the right way up.

    Raises:
        CliprpnError: not_found, weights_*, data_invalid.
    """
    if not image_file.is_file():
        raise CliprpnError("not_found", f"{image_file}: expected a picture, found no file")
    saved = load_model(model_path)
    backbone = load_backbone(saved.backbone.name, saved.backbone.weights).to(device)
    if backbone.weights_id != saved.backbone.weights_id:
        raise CliprpnError(
            "weights_mismatch",
            f"{saved.backbone.weights}: expected the backbone that the model was trained on (SHA-256 "
            f"{saved.backbone.weights_id[:12]}...), found another ({backbone.weights_id[:12]}...)",
        )
    model = saved.model.to(device).eval()
    squashed, (width, height) = load_upright(image_file, saved.image_size_px)
    pixels = squashed[None].to(device)
    pooled, words, mask = backbone.encode_text(backbone.tokenize([sentence]).to(device))
    # Features are kept in half precision; a single picture is held to the same.
    map = backbone.feature_map(pixels.float() / 255).half().float()
    boxes, objectness = model.predict_top1(map, words.half().float(), mask, pooled.half().float())
    sizes = torch.tensor([[width, height]], dtype=torch.float32)
    box = to_picture(boxes.cpu(), sizes, model.frame_size_px)[0]
    return GroundResult.model_validate(
        {
            "pred_box_xyxy": [round(value, 2) for value in box.tolist()],
            "objectness": float(objectness[0]),
            "image_width": width,
            "image_height": height,
            "sentence": sentence,
        }
    )
