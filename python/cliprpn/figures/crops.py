"""The metrics of ClipRPN (Trento): CLIP similarity and zero-shot class of the predicted crop.

`python -m cliprpn.figures.crops MODEL PREDICTIONS DATASET` prints them as JSON, from a model file, its predictions and
the prepared dataset's folder. Use them only for comparison with the report of ClipRPN (Trento): they
measure CLIP more than grounding.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.images import MAX_PIXELS, load_crop
from cliprpn.data.index import read_facts
from cliprpn.data.read_predictions import read_predictions
from cliprpn.errors import CliprpnError
from cliprpn.inference.checkpoint import load_model
from cliprpn.models.backbone import ClipBackbone
from cliprpn.ranking.texts import CLASS_TEMPLATE, make_prompts
from cliprpn.storage.weights_files import load_backbone

CLIP_BATCH_SIZE = 16
CROP_SIZE_PX = 224


def crop_figures(model: Path, predictions_file: Path, dataset: Path) -> dict[str, float]:
    """Means over a split's sentences.

    Args:
        model: a .safetensors file.
        predictions_file: its predictions-SPLIT.parquet.
        dataset: folder of the prepared dataset.

    Returns:
        cosine_crop_sentence: cosine similarity of the predicted box's crop and the sentence.
        cosine_gt_crop_sentence: cosine similarity of the ground-truth crop and the sentence, for reference.
        crop_class_accuracy: fraction of predicted crops whose zero-shot class, among the categories of the split, is
            the category of the object.

    Raises:
        CliprpnError: not_found, bad_input, weights_*, data_invalid.
    """
    saved = load_model(model)
    predictions = read_predictions(predictions_file)
    backbone = load_backbone(saved.backbone.name, saved.backbone.weights)
    if not backbone.has_attention_pool:
        raise CliprpnError(
            "weights_mismatch",
            f"{saved.backbone.weights}: expected weights with CLIP's attention pool, which encodes a crop; found none",
        )
    facts = read_facts(dataset)
    if facts.images_dir is None:
        raise CliprpnError("data_invalid", f"{dataset}: expected a dataset with images, found one without")
    files = [Path(facts.images_dir) / name for name in predictions["image_file"]]
    upright = predictions["upright"].tolist()
    sentences = encode_texts(backbone, predictions["sentence"].tolist())
    crops = encode_crops(backbone, files, predictions["pred_box_xyxy"], upright, facts.max_pixels)
    gt_crops = encode_crops(backbone, files, predictions["gt_box_xyxy"], upright, facts.max_pixels)
    names, category = np.unique(predictions["category"].astype(str), return_inverse=True)
    classes = encode_texts(backbone, make_prompts(names.tolist(), [CLASS_TEMPLATE]))
    predicted = (crops @ classes.T).argmax(dim=1).numpy()
    return {
        "cosine_crop_sentence": float((crops * sentences).sum(dim=1).mean()),
        "cosine_gt_crop_sentence": float((gt_crops * sentences).sum(dim=1).mean()),
        "crop_class_accuracy": float((predicted == category).mean()),
    }


def encode_crops(
    backbone: ClipBackbone,
    files: list[Path],
    boxes: np.ndarray,
    upright: list[bool],
    max_pixels: int = MAX_PIXELS,
) -> Tensor:
    """CLIP's embedding of one box per image: [N, pooled_dim].

    Args:
        boxes: [N, 4], xyxy, pixels of the original image.
        files: N image files.
        upright: [N], whether the boxes are in the image after its EXIF rotation.
    """
    parts = []
    for start in range(0, len(files), CLIP_BATCH_SIZE):
        rows = slice(start, start + CLIP_BATCH_SIZE)
        batch = zip(files[rows], boxes[rows], upright[rows], strict=True)
        pixels = torch.stack(
            [
                load_crop(file, box.tolist(), CROP_SIZE_PX, is_upright, max_pixels)
                for file, box, is_upright in batch
            ]
        )
        parts.append(backbone.encode_image(pixels.float() / 255))
    return torch.cat(parts)


def encode_texts(backbone: ClipBackbone, texts: list[str]) -> Tensor:
    """CLIP's embedding of each text: [N, pooled_dim]."""
    batches = [texts[start : start + CLIP_BATCH_SIZE] for start in range(0, len(texts), CLIP_BATCH_SIZE)]
    return torch.cat([backbone.encode_text(backbone.tokenize(batch))[0] for batch in batches])


def main(argv: list[str]) -> int:
    """Prints the metrics. Returns 0, or 2 for bad input."""
    if len(argv) != 3:
        print("usage: python -m cliprpn.figures.crops MODEL PREDICTIONS DATASET", file=sys.stderr)
        return 2
    try:
        figures = crop_figures(*map(Path, argv))
    except CliprpnError as error:
        print(error.message, file=sys.stderr)
        return 2
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
