"""A small dataset in the layout of RefCOCOg, the spec of a short trial on it, and Python in a new process."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import torch
from PIL import Image
from prepared import Resize, prepare

from cliprpn.contract.generated import BaselineSpec, ClipRpnSpec
from cliprpn.data.pixels import Pixels, open_pixels, pixels_folder
from cliprpn.run_context import Emit, RunContext
from cliprpn.storage.weights_files import SHIPPED

WIDTH, HEIGHT = 120, 90
# The colors of the demo.
COLORS = ("red", "green", "blue")
CPU = torch.device("cpu")
REPO = Path(__file__).parents[2]


def run_context(
    cache_dir: Path,
    emit: Emit = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
    device: torch.device = CPU,
) -> RunContext:
    """A context that emits every progress event."""
    return RunContext(device, cache_dir, emit, should_stop, progress_every_s=0)


def run_python(
    *args: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> CompletedProcess[str]:
    """Runs Python in a new process with `cliprpn` on its path; the time limit only ends one that hangs.

    Args:
        env: replaces the environment of this process.
    """
    path = {"PYTHONPATH": str(REPO / "python")}
    environment = {**os.environ, **path} if env is None else {**path, **env}
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=environment,
        cwd=cwd,
    )


def wait_until(condition: Callable[[], bool], limit_s: float = 300) -> None:
    """Polls until the condition holds; the limit only ends a wait that would never end."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"still waiting after {limit_s} s")
        time.sleep(0.005)


def progress_of(events: list[Any]) -> list[tuple[str, int, int]]:
    """Phase, done and total of each progress event."""
    return [(event.phase, event.done, event.total) for event in events if event.type == "progress"]


def make_records(num_images: int = 12) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The content of instances.json, and the refs: two objects per image; the second has two sentences.

    Of every six images, four are in train, one in val and one in test.
    """
    instances: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": 7, "name": "block"}],
    }
    refs = []
    for image_id in range(num_images):
        name = f"COCO_train2014_{image_id:012d}.png"
        instances["images"].append({"id": image_id, "file_name": name, "width": WIDTH, "height": HEIGHT})
        x, y = 10 + 4 * (image_id % 10), 8 + 3 * (image_id % 7)
        for ann_id, bbox in (
            (2 * image_id, [70, 50, 20, 20]),
            (2 * image_id + 1, [x, y, 40.5, 30.25]),
        ):
            annotation = {"id": ann_id, "image_id": image_id, "category_id": 7, "bbox": bbox}
            instances["annotations"].append(annotation)
        color = COLORS[image_id % 3]
        sentences = [
            {"sent_id": 2 * image_id, "sent": f"the {color} block", "raw": "", "tokens": []},
            {"sent_id": 2 * image_id + 1, "sent": f"the large {color} thing", "raw": "", "tokens": []},
        ]
        refs.append(
            {
                "ref_id": 100 + image_id,
                "ann_id": 2 * image_id + 1,
                "category_id": 7,
                "image_id": image_id,
                "file_name": f"{name[:-4]}_{2 * image_id + 1}.png",  # as in RefCOCOg
                "split": ("train", "train", "val", "train", "test", "train")[image_id % 6],
                "sent_ids": [2 * image_id, 2 * image_id + 1],
                "sentences": sentences,
            }
        )
    return instances, refs


def write_dataset(
    root: Path, instances: dict[str, Any], refs: list[Any], split_by: str = "umd", protocol: int = 2
) -> Path:
    """Writes the records, and for each image noise with the colored object."""
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / "images").mkdir(exist_ok=True)
    (root / "annotations" / "instances.json").write_text(json.dumps(instances))
    (root / "annotations" / f"refs({split_by}).p").write_bytes(pickle.dumps(refs, protocol))
    boxes = {annotation["image_id"]: annotation["bbox"] for annotation in instances["annotations"]}
    for image in instances["images"]:
        draw(root / "images" / Path(image["file_name"]).name, image["id"], boxes.get(image["id"]))
    return root


def draw(path: Path, seed: int, box: list[float] | None) -> None:
    pixels = np.random.default_rng(seed).integers(0, 90, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    if box is not None:
        x, y, width, height = (int(side) for side in box)
        pixels[y : y + height, x : x + width, seed % 3] = 255
    Image.fromarray(pixels).save(path)


def small_dataset(root: Path, num_images: int = 12) -> Path:
    return write_dataset(root, *make_records(num_images))


def prepared(root: Path, cache: Path, size: int = 64, resize: Resize = "squash") -> tuple[Path, str]:
    """Folder and id of the prepared dataset; prepares it in the cache on first use."""
    annotations = b"".join(path.read_bytes() for path in sorted((root / "annotations").iterdir()))
    dataset_id = hashlib.sha256(annotations).hexdigest()[:16]
    folder = cache / "prepared" / dataset_id
    if not (pixels_folder(folder, size, resize) / "manifest.json").is_file():
        prepare(root, folder, size, dataset_id=dataset_id, resize=resize)
    return folder, dataset_id


def open_small(folder: Path, size: int = 64, resize: Resize = "squash") -> Pixels:
    """The pixels of a prepared dataset."""
    return open_pixels(pixels_folder(folder, size, resize))


def make_settings(**changes: Any) -> dict[str, Any]:
    """Settings of a trial that takes seconds. `training` and `rpn` are merged; other changes replace values."""
    settings: dict[str, Any] = {
        "image_size_px": 64,
        "resize": "squash",
        "frame_size_px": 640,
        "neck_channels": 16,
        "fusion": {"kind": "switched", "text": "words", "interaction": "multiplicative", "coordinates": "on"},
        "anchors": {
            "placement": "center",
            "scales_px": [96, 144, 208, 304, 448],
            "ratios": [0.5, 1, 2],
        },
        "rpn": {
            "fg_iou_thresh": 0.5,
            "bg_iou_thresh": 0.4,
            "objectness_loss": "softmax",
            "box_loss": "over_positives",
            "box_loss_weight": 1,
            "batch_size_per_image": 256,
            "positive_fraction": 0.5,
            "pre_nms_top_n": 1000,
            "post_nms_top_n": 100,
            "nms_thresh": 0.7,
            "negatives_loss_weight": 0,
        },
        "training": {
            "num_epochs": 2,
            "batch_size": 4,
            "batch_by": "image",
            "optimizer": "adamw",
            "learning_rate": 1e-3,
            "weight_decay": 0.01,
            "schedule": "cosine",
            "warmup_fraction": 0.1,
            "grad_clip_norm": 1,
            "precision": "auto",
            "deterministic": True,
            "cuda_graphs": False,
            "select_by": "acc_at_50",
            "views": 0,
        },
        "limits": {"train": None, "val": None, "test": None},
    }
    for key in ("rpn", "training"):
        settings[key] |= changes.pop(key, {})
    return settings | changes


def make_spec(root: Path, cache: Path, seed: int = 0, **changes: Any) -> ClipRpnSpec:
    """A trial that takes seconds; prepares the dataset in the cache on first use."""
    settings = make_settings(**changes)
    folder, dataset_id = prepared(root, cache, settings["image_size_px"], settings["resize"])
    return ClipRpnSpec.model_validate(
        {
            "trial_id": "0123456789abcdef",
            "sources_sha256": "0" * 64,
            "kind": "cliprpn",
            "label": "fusion=token_attention",
            "preset": "default",
            "seed": seed,
            "num_threads": 1,
            "device": "cpu",
            "dataset": {
                "id": dataset_id,
                "name": "blocks",
                "root": str(folder),
                "split_by": "umd",
            },
            "backbone": {
                "name": "cliprpn-tiny",
                "weights": "shipped",
                "weights_id": shipped_weights_id(),
            },
            "settings": settings,
            "cache_dir": str(cache),
        }
    )


def make_baseline(root: Path, cache: Path, detector: dict[str, Any], **changes: Any) -> BaselineSpec:
    """A baseline trial on the dataset; a detector's file is identified by its hash."""
    common = make_spec(root, cache).model_dump(exclude={"settings", "preset"})
    limits = {"train": None, "val": None, "test": None} | changes.pop("limits", {})
    if "file" in detector:
        detector = {"sha256": hashlib.sha256(Path(detector["file"]).read_bytes()).hexdigest()} | detector
    settings = {
        "detector": detector,
        "ranking": "crop",
        "templates": ["{}"],
        "category_prior": False,
        "score_thresh": 0.25,
        "nms_thresh": 0.45,
        "max_boxes": 100,
    }
    kind = {"kind": "baseline", "baseline": settings | changes, "limits": limits}
    return BaselineSpec.model_validate(common | kind)


def shipped_weights_id() -> str:
    return hashlib.sha256((SHIPPED / "cliprpn-tiny.safetensors").read_bytes()).hexdigest()


def file_fusion(path: Path, source: str, name: str, **params: Any) -> dict[str, Any]:
    """Writes a custom fusion to a file. Returns its setting."""
    path.write_text(source)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"kind": "file", "file": f"{path}:{name}", "params": params, "source_sha256": digest}
