"""The metrics of ClipRPN (Trento): CLIP similarity and zero-shot class of the predicted crop.

`python -m cliprpn.figures.crops MODEL PREDICTIONS DATASET [--device DEVICE] [--cache DIR]` prints them as JSON, from a
model file, its predictions and the prepared dataset's folder. Use them only for comparison with the report of ClipRPN
(Trento): they measure CLIP more than grounding.

Crops are encoded as the boxes of baselines are, with the preprocessing of CLIP's released code (antialiased bicubic
resize of the shorter side, then center crop), so that a cosine here and a baseline's score are the same quantity.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor

from cliprpn.contract.generated import WarningEvent
from cliprpn.data.images import ImageFile
from cliprpn.data.index import read_facts
from cliprpn.data.read_predictions import read_predictions
from cliprpn.devices import resolve_device
from cliprpn.errors import CliprpnError
from cliprpn.inference.checkpoint import load_model
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.ranking.texts import CLASS_TEMPLATE, make_prompts
from cliprpn.run_context import RunContext


def crop_figures(model: Path, predictions_file: Path, dataset: Path, context: RunContext) -> dict[str, float]:
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
        CliprpnError: not_found, bad_input, weights_*, data_invalid, no_space.
    """
    clip = ClipEmbeddings(load_model(model).backbone, context)
    predictions = read_predictions(predictions_file)
    facts = read_facts(dataset)
    if facts.images_dir is None:
        raise CliprpnError("data_invalid", f"{dataset}: expected a dataset with images, found one without")
    files = [
        ImageFile(Path(facts.images_dir) / name, upright, facts.max_pixels)
        for name, upright in zip(predictions["image_file"], predictions["upright"].tolist(), strict=True)
    ]
    sentences = clip.embed_texts(predictions["sentence"].tolist())
    crops = encode_crops(clip, files, predictions["pred_box_xyxy"])
    gt_crops = encode_crops(clip, files, predictions["gt_box_xyxy"])
    names, category = np.unique(predictions["category"].astype(str), return_inverse=True)
    classes = clip.embed_texts(make_prompts(names.tolist(), [CLASS_TEMPLATE]))
    predicted = (crops @ classes.T).argmax(dim=1).numpy()
    return {
        "cosine_crop_sentence": float((crops * sentences).sum(dim=1).mean()),
        "cosine_gt_crop_sentence": float((gt_crops * sentences).sum(dim=1).mean()),
        "crop_class_accuracy": float((predicted == category).mean()),
    }


def encode_crops(clip: ClipEmbeddings, files: list[ImageFile], boxes_xyxy: np.ndarray) -> Tensor:
    """CLIP's embedding of one box per image: [N, pooled_dim], float32, L2-normalized, on the CPU.

    Args:
        files: N image files.
        boxes_xyxy: [N, 4], pixels of the image as `load_image` returns it.
    """
    boxes = torch.from_numpy(boxes_xyxy)[:, None]  # [N, 1, 4]
    return torch.cat(clip.embed_boxes(list(zip(files, boxes, strict=True)), "crop"))


def main(argv: list[str]) -> int:
    """Prints the metrics. Returns 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m cliprpn.figures.crops", description="CLIP scores of predicted crops."
    )
    parser.add_argument("model", type=Path, help="a model, best.safetensors")
    parser.add_argument("predictions", type=Path, help="its predictions-SPLIT.parquet")
    parser.add_argument("dataset", type=Path, help="the folder of the prepared dataset")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:I or mps")
    parser.add_argument(
        "--cache", type=Path, help="a folder that keeps the embeddings; none are kept without it"
    )
    try:
        args = parser.parse_args(argv)
    except SystemExit as stopped:  # argparse has printed its message.
        return 2 if stopped.code else 0
    with tempfile.TemporaryDirectory(prefix="cliprpn-crops-") as temporary:
        try:
            device = resolve_device(args.device)
            context = RunContext(device, args.cache or Path(temporary), _print_warning, lambda: False)
            figures = crop_figures(args.model, args.predictions, args.dataset, context)
        except CliprpnError as error:
            print(error.message, file=sys.stderr)
            return 2
    print(json.dumps(figures, indent=2))
    return 0


def _print_warning(event: BaseModel) -> None:
    if isinstance(event, WarningEvent):
        print(event.message, file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
