"""Trains a small YOLO on the train split's boxes, once per dataset, for datasets without a pretrained detector."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from cliprpn.code_identity import code_hashes, require_unchanged
from cliprpn.contract.generated import TrainedYoloDetector
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.ultralytics_env import quiet_ultralytics
from cliprpn.detectors.yolo import open_yolo
from cliprpn.detectors.yolo_data import label_images, measure_recall, split_image_rows
from cliprpn.errors import CliprpnError
from cliprpn.out_of_memory import is_out_of_memory
from cliprpn.run_context import RunContext
from cliprpn.storage.durable import disk_errors, write_durably
from cliprpn.storage.lock import file_lock
from cliprpn.storage.training_state import read_training_state, write_training_state

# Part of the key of trained weights, like the recipe: change it when the same recipe would give other weights.
TRAINING_VERSION = "1"
RECIPE: dict[str, Any] = {
    "optimizer": "AdamW",
    "lr0": 0.004,
    "lrf": 0.01,
    "cos_lr": True,
    "warmup_epochs": 0.5,
    "close_mosaic": 0,
    "mosaic": 0.0,
    "erasing": 0.0,
    "hsv_h": 0.0,
    "hsv_s": 0.0,
    "hsv_v": 0.0,
    "scale": 0.5,
    "translate": 0.1,
    "fliplr": 0.5,
}
STATE_FILE = "resume.pt"
# Limits for the recall on val, as is usual for evaluation.
SCORE_THRESH, NMS_THRESH, MAX_BOXES = 0.01, 0.7, 100


@dataclass(frozen=True)
class TrainedYolo:
    """The weights of a trained YOLO, a .pt, and their checksum."""

    file: Path
    sha256: str


def train_yolo(detector: TrainedYoloDetector, index: DatasetIndex, context: RunContext) -> tuple[Path, bool]:
    """Trains a YOLO unless that has been done. Returns the weights' file, and whether they had to be trained.

    Training that was killed resumes after its last complete epoch; on a CPU, its weights equal those of an
    uninterrupted training to the bit.

    Raises:
        CliprpnError: package_missing, bad_input, data_invalid, weights_mismatch, loss_not_finite, no_space,
            interrupted.
    """
    cache_dir = context.cache_dir
    folder = _folder(detector, index, cache_dir)
    if _is_trained(folder):
        return find_trained_yolo(detector, index, cache_dir).file, False
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(
        folder / ".lock",
        lambda: context.warn("another process is training the same YOLO; waiting for it"),
        context.should_stop,
    ):
        if _is_trained(folder):
            return find_trained_yolo(detector, index, cache_dir).file, False
        _train_and_record(detector, index, folder, context)
    return find_trained_yolo(detector, index, cache_dir).file, True


def find_trained_yolo(detector: TrainedYoloDetector, index: DatasetIndex, cache_dir: Path) -> TrainedYolo:
    """The weights written by `train_yolo`. Their checksum is verified, as loading them executes code.

    Raises:
        CliprpnError: weights_missing, weights_mismatch.
    """
    folder = _folder(detector, index, cache_dir)
    facts_file, file = folder / "detector.json", folder / "weights.pt"
    if not _is_trained(folder):
        raise CliprpnError(
            "weights_missing", f"{folder}: expected a trained YOLO, found none; train it first"
        )
    next_step = f"delete {folder} to train it again"
    try:
        expected = json.loads(facts_file.read_bytes())["weights_sha256"]
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CliprpnError(
            "weights_mismatch", f"{folder}: the trained YOLO is damaged: {error}; {next_step}"
        ) from error
    if digest != expected:
        raise CliprpnError(
            "weights_mismatch",
            f"{file}: expected SHA-256 {str(expected)[:12]}..., found {digest[:12]}...; {next_step}",
        )
    return TrainedYolo(file, digest)


def _folder(detector: TrainedYoloDetector, index: DatasetIndex, cache_dir: Path) -> Path:
    facts = {
        "version": TRAINING_VERSION,
        "recipe": RECIPE | detector.model_dump(),
        "dataset_id": index.dataset_id,
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return cache_dir / "detectors" / f"trained-{key}"


def _is_trained(folder: Path) -> bool:
    return (folder / "detector.json").is_file()


def _train_and_record(
    detector: TrainedYoloDetector, index: DatasetIndex, folder: Path, context: RunContext
) -> None:
    """Trains, measures the recall on val, and writes the folder's files; detector.json is written last."""
    device, cache_dir = context.device, context.cache_dir
    start = time.monotonic()
    train_rows = split_image_rows(index, "train")
    classes = sorted({name or "" for name in index.objects["category"].to_pylist()})
    with quiet_ultralytics(cache_dir), disk_errors(folder):
        weights = _train_weights(detector, index, train_rows, classes, folder, context)
    write_durably(folder / "weights.pt", weights)
    seconds = time.monotonic() - start
    limits = SCORE_THRESH, NMS_THRESH, MAX_BOXES
    yolo = open_yolo(folder / "weights.pt", None, *limits, device, cache_dir, trusted=True)
    val_rows = split_image_rows(index, "val")
    facts = {
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "weights_bytes": len(weights),
        "recipe": RECIPE | detector.model_dump(),
        "version": TRAINING_VERSION,
        "classes": classes,
        "dataset_id": index.dataset_id,
        "num_train_images": len(train_rows),
        "num_val_images": len(val_rows),
        "val_recall": measure_recall(yolo, index, val_rows, context.should_stop),
        "duration_s": round(seconds, 1),
        "num_threads": torch.get_num_threads(),
        "device": str(device),
        "packages": {name: version(name) for name in ("ultralytics", "torch")},
        "license": "AGPL-3.0, as weights that ultralytics trains",
    }
    write_durably(folder / "detector.json", f"{json.dumps(facts, indent=2)}\n".encode())
    shutil.rmtree(folder / "run", ignore_errors=True)
    (folder / STATE_FILE).unlink(missing_ok=True)
    (folder / "last.pt").unlink(missing_ok=True)


def _train_weights(
    detector: TrainedYoloDetector,
    index: DatasetIndex,
    rows: list[int],
    classes: list[str],
    folder: Path,
    context: RunContext,
) -> bytes:
    """Trains, after the last complete epoch if there is one. Returns the content of the weights' file.

    Raises:
        CliprpnError: bad_input, contract_violation, data_invalid, interrupted, loss_not_finite, no_space,
            out_of_memory.
    """
    from cliprpn.detectors.yolo_trainer import Trainer, minimal_checkpoint, on_batches, on_saved

    require_unchanged("detectors/yolo_trainer.py")  # Imported only now, as it needs ultralytics.

    last, state_file = folder / "last.pt", folder / STATE_FILE
    if _last_epoch(last) + 1 < detector.num_epochs:
        num_threads = torch.get_num_threads()
        identity = {
            "sources_sha256": code_hashes()["baseline"],
            "device": context.device.type,
            "num_threads": num_threads,
        }
        state = _read_state(state_file, identity, context)
        images = label_images(index, rows, classes)
        settings = _settings(detector, folder, context.device)
        trainer = Trainer(settings, images, classes, detector.architecture, num_threads, state)

        def report(batches: int, total: int) -> None:
            context.progress("detector_training", batches, total)
            if context.should_stop():
                raise CliprpnError(
                    "interrupted", "stopped while training a YOLO; training resumes after its last epoch"
                )

        def save(file: Path) -> None:
            write_durably(last, file.read_bytes())
            write_training_state(state_file, {"identity": identity, **trainer.state_after_epoch()})

        on_batches(trainer, report)
        on_saved(trainer, save)
        try:
            trainer.train()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise CliprpnError("out_of_memory", _describe_memory(detector, context.device)) from error
    model = torch.load(last, map_location="cpu", weights_only=False)["ema"]
    buffer = io.BytesIO()
    torch.save(minimal_checkpoint(model, detector.image_size_px), buffer)
    return buffer.getvalue()


def _describe_memory(detector: TrainedYoloDetector, device: torch.device) -> str:
    """Smaller batches train other weights, and so would parts of a batch, over which YOLO normalizes."""
    return (
        f"{device} ran out of memory in the training of {detector.architecture}; lower the detector's batch_size (now "
        f"{detector.batch_size}) or image_size_px (now {detector.image_size_px}), or use a device with more memory"
    )


def _read_state(file: Path, identity: dict[str, Any], context: RunContext) -> dict[str, Any] | None:
    """The state after the last complete epoch; None, with a warning, if it cannot be continued to the same bits."""
    if not file.is_file():
        return None
    try:
        state = read_training_state(file)
    except (OSError, ValueError) as error:
        context.warn(f"{file}: ignored, since it is not a complete checkpoint of training: {error}")
        return None
    if state.get("identity") != identity:
        context.warn(f"{file}: ignored, since it was written by other code, or on another kind of device")
        return None
    return state


def _last_epoch(last: Path) -> int:
    """Number of the last complete epoch, from 0; -1 if there is none. Deletes a checkpoint that cannot be read."""
    try:
        return int(torch.load(last, map_location="cpu", weights_only=False)["epoch"])
    except FileNotFoundError:
        return -1
    except Exception:  # noqa: BLE001  # A checkpoint of another version can raise anything: train from scratch.
        last.unlink(missing_ok=True)
        return -1


def _settings(detector: TrainedYoloDetector, folder: Path, device: torch.device) -> dict[str, Any]:
    """ultralytics' settings of a training run."""
    return RECIPE | {
        "task": "detect",
        "model": f"{detector.architecture}.yaml",
        "data": "unused.yaml",
        "epochs": detector.num_epochs,
        "imgsz": detector.image_size_px,
        "batch": detector.batch_size,
        "nbs": detector.batch_size,
        "seed": detector.seed,
        "deterministic": True,
        "device": str(device),
        "workers": 0,
        "amp": False,  # AMP would first download weights for a check.
        "pretrained": False,
        "val": False,
        "plots": False,
        "verbose": False,
        "save_dir": str(folder / "run"),
        "exist_ok": True,
    }
