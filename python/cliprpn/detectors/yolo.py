"""Any YOLO that ultralytics makes: .onnx by onnxruntime, .pt by torch; its own letterbox and suppression."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cliprpn.detectors.proposals import Proposals, proposals
from cliprpn.detectors.ultralytics_quiet import quiet_ultralytics
from cliprpn.detectors.yolo_network import Network, onnx_network, torch_network
from cliprpn.errors import CliprpnError


class YoloDetector:
    """An image's boxes do not depend on its neighbours: only images of one letterboxed size share a batch.

    Attributes:
        classes: names of its classes, in its order.
        warning: for a person, where it does not run on the device that was asked for; else None.
    """

    def __init__(self, network: Network, score_thresh: float, nms_thresh: float, max_boxes: int) -> None:
        self.classes, self.warning = network.classes, network.warning
        self._network = network
        self._limits = score_thresh, nms_thresh, max_boxes

    def detect(self, pictures: list[Tensor]) -> list[Proposals]:
        """
        Args:
            images: each [3, H, W], uint8, RGB; of any sizes.
        """
        threads = torch.get_num_threads()
        try:
            torch.set_num_threads(self._network.num_threads or threads)
            with torch.inference_mode():
                return self._detect(pictures)
        finally:
            torch.set_num_threads(threads)

    def _detect(self, pictures: list[Tensor]) -> list[Proposals]:
        from ultralytics.data.augment import LetterBox

        network = self._network
        fit = LetterBox(network.size, auto=network.flexible, stride=network.stride)
        groups: dict[tuple[int, ...], list[tuple[int, np.ndarray]]] = defaultdict(list)
        for place, picture in enumerate(pictures):
            boxed: Any = fit(image=np.ascontiguousarray(picture.permute(1, 2, 0).numpy()))
            groups[boxed.shape].append((place, boxed))
        found: dict[int, Proposals] = {}
        for group in groups.values():
            for start in range(0, len(group), network.batch):
                places, boxed_ones = zip(*group[start : start + network.batch], strict=True)
                batch = np.stack(boxed_ones).transpose(0, 3, 1, 2)  # [B, 3, h, w]
                inputs = torch.from_numpy(np.ascontiguousarray(batch)).float() / 255
                for place, rows in zip(places, self._suppress(network.raw(inputs)), strict=True):
                    found[place] = self._in_image(rows, inputs.shape[2:], pictures[place])
        return [found[place] for place in range(len(pictures))]

    def _suppress(self, raw: Tensor) -> list[Tensor]:
        """Of each image [N, 6]: xyxy in pixels of the network's input, score, class."""
        from ultralytics.utils.nms import non_max_suppression

        score_thresh, nms_thresh, max_boxes = self._limits
        return non_max_suppression(
            raw,
            score_thresh,
            nms_thresh,
            max_det=max_boxes,
            max_time_img=math.inf,  # On a busy machine it would leave images without their boxes.
            end2end=self._network.end_to_end,
        )

    def _in_image(self, rows: Tensor, input_shape: Any, picture: Tensor) -> Proposals:
        from ultralytics.utils.ops import scale_boxes

        height, width = picture.shape[1:]
        own = rows.cpu()
        boxes: Any = scale_boxes(tuple(input_shape), own[:, :4].clone(), (height, width))
        labels = own[:, 5]
        if not ((labels >= 0) & (labels < len(self.classes))).all():  # Of a graph that suppresses by itself.
            raise CliprpnError(
                "weights_mismatch",
                f"expected classes 0 to {len(self.classes) - 1} from the YOLO, found others",
            )
        names = [self.classes[int(label)] for label in labels.tolist()]
        return proposals(boxes, own[:, 4], names, width, height)


def open_yolo(
    file: Path,
    image_size_px: int | None,
    score_thresh: float,
    nms_thresh: float,
    max_boxes: int,
    device: torch.device,
    cache_dir: Path,
    trusted: bool,
) -> YoloDetector:
    """
    Args:
        file: .onnx, exported by ultralytics; or .pt, which runs code when it is loaded.
        image_size_px: side of the square that an image is fitted into; None for the weights' own.
        score_thresh: boxes below it are left out.
        nms_thresh: of two boxes of one class with a larger IoU, the better one stays.
        max_boxes: at most so many of an image.
        cache_dir: ultralytics keeps its settings below it.
        trusted: whether a .pt may be loaded.

    Raises:
        CliprpnError: package_missing, weights_missing, weights_unsafe, weights_mismatch.
    """
    kind = file.suffix.lower()
    if kind not in (".onnx", ".pt"):
        raise CliprpnError(
            "weights_mismatch", f"{file}: expected a YOLO as .onnx or .pt, found {kind or 'neither'}"
        )
    if not file.is_file():
        raise CliprpnError("weights_missing", f"{file}: expected a YOLO's weights, found no file")
    if kind == ".pt" and not trusted:
        raise CliprpnError(
            "weights_unsafe",
            f"{file}: a .pt runs code when it is loaded: --trust-weights if you know where it comes from, or export it "
            "to .onnx (yolo export format=onnx)",
        )
    with quiet_ultralytics(cache_dir):
        network = (
            onnx_network(file, image_size_px, device)
            if kind == ".onnx"
            else torch_network(file, image_size_px, device, max_boxes)
        )
        detector = YoloDetector(network, score_thresh, nms_thresh, max_boxes)
        # Imports what it needs while all is quiet; tells what breaks.
        detector.detect([torch.full((3, 64, 64), 114, dtype=torch.uint8)])
    return detector
