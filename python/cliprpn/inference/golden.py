"""Compares our modules with recorded outputs of ClipRPN (Trento).

Usage: `python -m cliprpn.inference.golden [--device DEVICE] FILE.npz...`
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cliprpn.devices import resolve_device
from cliprpn.errors import CliprpnError
from cliprpn.inference.importer import import_original
from cliprpn.models.anchors import make_anchors
from cliprpn.models.head import flatten_head
from cliprpn.models.rpn import RpnRules, anchor_targets, rpn_losses, top1_boxes
from cliprpn.models.rpn_torchvision import square_images, torchvision_rpn
from cliprpn.storage.damaged_arrays import DAMAGED_ARRAYS

RTOL, ATOL = 1e-4, 1e-5
MAX_UNCOMPRESSED_BYTES = 2_000_000_000


class GoldenRow(NamedTuple):
    """The largest difference of one output in one file, and whether it is within tolerance."""

    file: str
    output: str
    max_abs_diff: float
    ok: bool


def check_golden(files: list[Path], device: torch.device) -> list[GoldenRow]:
    """Compares every output of every file, computed on the device in float32. Returns a row for each.

    Raises:
        CliprpnError: not_found or bad_input, if a file is not in the golden format.
    """
    return [row for file in files for row in _compare_file(file, device)]


def _compare_file(file: Path, device: torch.device) -> Iterator[GoldenRow]:
    """
    Raises:
        CliprpnError: not_found, bad_input.
    """
    arrays = _read(file)
    config = json.loads(str(arrays["config"]))
    tensors = {key: torch.from_numpy(value) for key, value in arrays.items() if key != "config"}
    with torch.no_grad():
        for output, actual_on_device in _recompute(tensors, config, str(file), device).items():
            expected, actual = tensors[output], actual_on_device.cpu()
            diff = (actual - expected).abs().max().item() if actual.shape == expected.shape else np.inf
            ok = diff < np.inf and torch.allclose(actual, expected, rtol=RTOL, atol=ATOL)
            yield GoldenRow(str(file), output, float(min(diff, 1e30)), ok)


def _read(file: Path) -> dict[str, np.ndarray]:
    if not file.is_file():
        raise CliprpnError("not_found", f"{file}: expected a golden .npz, found no file")
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_UNCOMPRESSED_BYTES:
            raise CliprpnError(
                "bad_input",
                f"{file}: expected at most {MAX_UNCOMPRESSED_BYTES} bytes uncompressed, found {size}",
            )
        with np.load(file, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except DAMAGED_ARRAYS as error:
        raise CliprpnError("bad_input", f"{file}: expected a golden .npz: {error}") from error


def _recompute(
    tensors: dict[str, Tensor], config: dict[str, Any], where: str, device: torch.device
) -> dict[str, Tensor]:
    """The outputs of our modules for the recorded weights and inputs, with the names of the recorded outputs."""
    prefix = "state."
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    parts = import_original(state, where, num_heads=config["heads"])
    fusion, head = parts.fusion.to(device).eval(), parts.head.to(device)
    feature_maps, text, gt_boxes = (
        tensors[name].to(device) for name in ("feature_maps", "text_embeddings", "gt_boxes_xyxy")
    )
    mask = torch.ones(text.shape[0], 1, dtype=torch.bool, device=device)
    fused = fusion(feature_maps, text[:, None], mask, text)
    logits, deltas = flatten_head(*head(fused))
    frame_size_px = config["image_size"]
    anchors = make_anchors(
        feature_maps.shape[-1], frame_size_px, config["scales"], config["ratios"], "corner"
    ).to(device)
    rules = RpnRules(
        fg_iou_thresh=config["fg_iou"],
        bg_iou_thresh=config["bg_iou"],
        objectness_loss="sampled_bce",
        box_loss="over_sampled",
        box_loss_weight=1.0,
        batch_size_per_image=config["rpn_batch_per_image"],
        positive_fraction=config["positive_fraction"],
        pre_nms_top_n=config["pre_nms_top_n"]["testing"],
        post_nms_top_n=config["post_nms_top_n"]["testing"],
        nms_thresh=config["nms"],
    )
    targets = anchor_targets(anchors, gt_boxes, rules)
    objectness_loss, box_loss = rpn_losses(logits, deltas, targets, rules)
    rpn = (
        torchvision_rpn(head, anchors, logits.shape[1] // feature_maps.shape[-1] ** 2, rules)
        .to(device)
        .eval()
    )
    boxes, _ = rpn(square_images(len(feature_maps), frame_size_px), {"0": fused})
    return {
        "fused": fused,
        "anchors_xyxy": anchors,
        "objectness_logits": logits,
        "box_deltas": deltas,
        "top1_xyxy": top1_boxes(logits, deltas, anchors, frame_size_px)[0],
        "n_proposals": torch.tensor([len(boxes_i) for boxes_i in boxes]),
        "loss_objectness": objectness_loss,
        "loss_rpn_box_reg": box_loss,
    }


def main(argv: list[str]) -> int:
    """Prints a line per output. Returns 0, 1 if a difference exceeds the tolerance, 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m cliprpn.inference.golden")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.npz")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda, cuda:I or mps")
    try:
        args = parser.parse_args(argv)
    except SystemExit as stopped:  # argparse has printed its message.
        return 2 if stopped.code else 0
    try:
        rows = check_golden(args.files, resolve_device(args.device))
    except CliprpnError as error:
        print(error.message, file=sys.stderr)
        return 2
    for row in rows:
        print(f"{'ok  ' if row.ok else 'FAIL'} {row.output:<18} {row.max_abs_diff:.2e}  {row.file}")
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
