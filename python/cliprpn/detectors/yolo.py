"""YOLO models of ultralytics, with ultralytics' letterbox and NMS."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.detectors.ultralytics_env import quiet_ultralytics
from cliprpn.detectors.yolo_network import YoloNetwork, open_torch_network
from cliprpn.detectors.yolo_onnx import open_onnx_network
from cliprpn.errors import CliprpnError


class UltralyticsYolo:
    """A YOLO as a detector.

    Batches only images of the same letterboxed size, so an image's boxes do not depend on the rest of its batch.

    Attributes:
        classes: class names, in the detector's order.
        warning: message for the user if the detector does not run on the requested device; else None.
    """

    def __init__(self, network: YoloNetwork, score_thresh: float, nms_thresh: float, max_boxes: int) -> None:
        self.classes, self.warning = network.classes, network.warning
        self._network = network
        self._score_thresh, self._nms_thresh, self._max_boxes = score_thresh, nms_thresh, max_boxes

    def detect(self, images: list[Tensor]) -> list[Proposals]:
        """Detects objects in images.

        Args:
            images: each [3, H, W], uint8, RGB; sizes may differ.
        """
        num_threads = torch.get_num_threads()
        try:
            torch.set_num_threads(self._network.num_threads or num_threads)
            with torch.inference_mode():
                return self._detect(images)
        finally:
            torch.set_num_threads(num_threads)

    def _detect(self, images: list[Tensor]) -> list[Proposals]:
        from ultralytics.data.augment import LetterBox

        network = self._network
        letterbox = LetterBox(
            network.size, auto=network.flexible, scale_fill=network.stretched, stride=network.stride
        )
        groups: dict[tuple[int, ...], list[tuple[int, np.ndarray]]] = defaultdict(list)
        for i, image in enumerate(images):
            padded: Any = letterbox(image=_channels(image, network.num_channels))
            groups[padded.shape].append((i, padded))
        proposals: dict[int, Proposals] = {}
        for group in groups.values():
            for start in range(0, len(group), network.batch_size):
                positions, padded_images = zip(*group[start : start + network.batch_size], strict=True)
                batch = np.stack(padded_images).transpose(0, 3, 1, 2)  # [B, 3, h, w]
                inputs = torch.from_numpy(np.ascontiguousarray(batch)).float() / 255
                for i, detections in zip(positions, self._suppress(network.forward(inputs)), strict=True):
                    proposals[i] = self._scale_back(detections, inputs.shape[2:], images[i])
        return [proposals[i] for i in range(len(images))]

    def _suppress(self, raw: Tensor) -> list[Tensor]:
        """Applies NMS. Returns [N, 6] per image: xyxy in pixels of the network's input, score, class."""
        from ultralytics.utils.nms import non_max_suppression

        return non_max_suppression(
            raw,
            self._score_thresh,
            self._nms_thresh,
            max_det=self._max_boxes,
            max_time_img=math.inf,  # ultralytics' time limit would drop the boxes of images on a busy machine.
            end2end=self._network.end_to_end,
        )

    def _scale_back(self, detections: Tensor, input_shape: Any, image: Tensor) -> Proposals:
        """Scales boxes from the network's input to the image."""
        from ultralytics.utils.ops import scale_boxes

        height, width = image.shape[1:]
        detections = detections.cpu()
        boxes: Any
        if self._network.stretched:
            boxes = detections[:, :4] * torch.tensor([width / input_shape[1], height / input_shape[0]] * 2)
        else:
            boxes = scale_boxes(tuple(input_shape), detections[:, :4].clone(), (height, width))
        labels = detections[:, 5]
        # An end-to-end graph may output any label.
        if not ((labels >= 0) & (labels < len(self.classes))).all():
            raise CliprpnError(
                "weights_mismatch",
                f"expected classes 0 to {len(self.classes) - 1} from the YOLO, found others",
            )
        names = [self.classes[int(label)] for label in labels.tolist()]
        return make_proposals(boxes, detections[:, 4], names, width, height)


def _channels(image: Tensor, num_channels: int) -> np.ndarray:
    """[H, W, num_channels], uint8, from [3, H, W]: RGB, or gray as OpenCV converts it."""
    import cv2

    rgb = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    return rgb if num_channels == 3 else cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None]


def open_yolo(
    file: Path,
    image_size_px: int | None,
    score_thresh: float,
    nms_thresh: float,
    max_boxes: int,
    device: torch.device,
    cache_dir: Path,
    trusted: bool,
    classes: list[str] | None = None,
) -> UltralyticsYolo:
    """Opens a YOLO.

    Args:
        file: .onnx, exported by ultralytics, yolov5 or yolov7; or .pt, which executes code when loaded.
        image_size_px: side of the square input; None for the size stored with the weights.
        score_thresh: boxes with a lower score are dropped.
        nms_thresh: of two boxes of one class with a higher IoU, only the better one is kept.
        max_boxes: maximum number of boxes per image.
        cache_dir: ultralytics' settings files go below it.
        trusted: whether a .pt may be loaded.
        classes: class names, in the detector's order; None for those stored with the weights.

    Raises:
        CliprpnError: package_missing, weights_missing, weights_unsafe, weights_mismatch.
    """
    suffix = file.suffix.lower()
    if suffix not in (".onnx", ".pt"):
        raise CliprpnError(
            "weights_mismatch", f"{file}: expected a YOLO as .onnx or .pt, found {suffix or 'no suffix'}"
        )
    if not file.is_file():
        raise CliprpnError("weights_missing", f"{file}: expected the weights of a YOLO, found no file")
    if suffix == ".pt" and not trusted:
        raise CliprpnError(
            "weights_unsafe",
            f"{file}: a .pt can run code when loaded; if you trust its source, add --trust-weights, otherwise export "
            "it to .onnx (yolo export format=onnx)",
        )
    with quiet_ultralytics(cache_dir):
        network = (
            open_onnx_network(file, image_size_px, classes, device)
            if suffix == ".onnx"
            else open_torch_network(file, image_size_px, classes, device, max_boxes)
        )
        detector = UltralyticsYolo(network, score_thresh, nms_thresh, max_boxes)
        # Warm-up: does ultralytics' remaining imports inside this context, and fails early on unusable weights.
        detector.detect([torch.full((3, 64, 64), 114, dtype=torch.uint8)])
    return detector
