"""A YOLO + CLIP baseline, ours compared with that of ClipRPN (Trento): `python -m bench.baseline SPEC.json CACHE`.

Both sides use the same detector, CLIP and sentences. The detector is trained for one epoch, and its boxes are kept at
any score, so that every image has as many boxes as a photo.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional as transforms

from cliprpn.contract.generated import BaselineSpec, TrainedYoloDetector
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.predictions import write_predictions
from cliprpn.detectors.train_yolo import train_yolo
from cliprpn.detectors.yolo import open_yolo
from cliprpn.memory import keep_freed_memory
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.weights_files import load_backbone
from cliprpn.trials.baseline import predict_baseline

CPU = torch.device("cpu")
NUM_SENTENCES = 300
# The detector of the demo, with fewer epochs.
DETECTOR = {"kind": "trained_yolo", "architecture": "yolov8p", "num_epochs": 1, "image_size_px": 160}
# A YOLO at its usual threshold finds 4 to 8 boxes per COCO photo.
LIMITS = {"score_thresh": 0.0, "nms_thresh": 0.45, "max_boxes": 6}


def main(spec_file: Path, cache: Path) -> list[dict[str, Any]]:
    """Seconds of both sides; ours with an empty cache, then with a full one."""
    keep_freed_memory()
    spec = spec_of(json.loads(spec_file.read_text()), cache)
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    detector = spec.baseline.detector
    assert isinstance(detector, TrainedYoloDetector)
    weights, _ = train_yolo(detector, index, context_of(cache))
    seed_everything(spec.seed, spec.num_threads)
    backbone = load_backbone(spec.backbone.name, spec.backbone.weights)
    limits = (spec.baseline.score_thresh, spec.baseline.nms_thresh, spec.baseline.max_boxes)
    yolo = open_yolo(weights, detector.image_size_px, *limits, CPU, cache, trusted=True)
    return [_compare(spec, index, rows, yolo, backbone) for rows in sentences(index)]


def sentences(index: DatasetIndex) -> list[np.ndarray]:
    """Rows of images with many sentences, as in RefCOCOg (3.8 per image in val), and of any images."""
    rows = index.split("train")
    _, image, counts = np.unique(index.image_rows[rows], return_inverse=True, return_counts=True)
    return [rows[counts[image] >= 3][:NUM_SENTENCES], rows[-NUM_SENTENCES:]]


def _compare(
    spec: BaselineSpec, index: DatasetIndex, rows: np.ndarray, yolo: Any, backbone: ClipBackbone
) -> dict[str, Any]:
    original_way(index, rows[:2], yolo, backbone)  # Warms up torch's kernels and the detector for both sides.
    original_s = _seconds(lambda: original_way(index, rows, yolo, backbone))
    folder = Path(spec.cache_dir)
    for name in ("detections", "vectors"):
        shutil.rmtree(folder / name, ignore_errors=True)
    cold_s, warm_s = (_seconds(lambda: ours(spec, index, rows, folder)) for _ in range(2))
    return {
        "num_sentences": len(rows),
        "num_images": len(np.unique(index.image_rows[rows])),
        "num_boxes": LIMITS["max_boxes"],
        "original_s": original_s,
        "cold_s": cold_s,
        "warm_s": warm_s,
    }


def spec_of(trial: dict[str, Any], cache: Path) -> BaselineSpec:
    """A baseline with the dataset and the CLIP of a trial."""
    settings = {
        "detector": DETECTOR | {"batch_size": 16, "seed": 0},
        "ranking": "crop",
        "templates": ["{}"],
        "category_prior": False,
        **LIMITS,
    }
    common = {key: value for key, value in trial.items() if key not in ("settings", "preset")}
    return BaselineSpec.model_validate(
        common
        | {
            "kind": "baseline",
            "baseline": settings,
            "limits": {"train": NUM_SENTENCES, "val": None, "test": None},
        }
        | {"cache_dir": str(cache)}
    )


def ours(spec: BaselineSpec, index: DatasetIndex, rows: np.ndarray, folder: Path) -> None:
    """From image files to the file of predictions."""
    predictions = predict_baseline(spec, index, rows, context_of(Path(spec.cache_dir)))
    write_predictions(folder / "predictions.parquet", index, rows, predictions.columns)


def context_of(cache_dir: Path) -> RunContext:
    return RunContext(CPU, cache_dir, lambda event: None, lambda: False)


@torch.no_grad()
def original_way(
    index: DatasetIndex, rows: np.ndarray, yolo: Any, backbone: ClipBackbone
) -> list[list[float]]:
    """The loop of ClipRPN (Trento): per sentence one image, one crop at a time, with PIL. Returns the boxes."""
    predictions = []
    assert index.images_dir is not None
    for row in rows.tolist():
        name = index.images["file_name"][int(index.image_rows[row])].as_py()
        with Image.open(index.images_dir / name) as file:
            image = file.convert("RGB")
        boxes = yolo.detect([transforms.pil_to_tensor(image)])[0].boxes_xyxy.tolist()
        boxes = boxes or [[0.0, 0.0, *image.size]]
        text = backbone.encode_text(backbone.tokenize([index.sentences["sentence"][row].as_py()]))[0]
        similarities = [
            float(backbone.encode_image(openai_preprocess(image.crop(box))[None]) @ text[0]) for box in boxes
        ]
        predictions.append(boxes[int(np.argmax(similarities))])
    return predictions


def openai_preprocess(image: Image.Image) -> torch.Tensor:
    """OpenAI CLIP's preprocessing without normalization, which the backbone does: [3, 224, 224], in [0, 1]."""
    resized = transforms.resize(image, [224], transforms.InterpolationMode.BICUBIC)
    return transforms.to_tensor(transforms.center_crop(resized, [224, 224]))


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
