"""torchvision's Faster R-CNN, with its own COCO weights or a person's."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torchvision.models import WeightsEnum
from torchvision.models import detection as torchvision_detection
from torchvision.models.detection.faster_rcnn import FasterRCNN

from cliprpn.detectors.coco_classes import coco_categories, coco_classes
from cliprpn.detectors.proposals import Proposals, proposals
from cliprpn.errors import CliprpnError, disk_is_full
from cliprpn.storage.weights_files import State, read_state

BUILDERS = {
    "resnet50_fpn_v2": torchvision_detection.fasterrcnn_resnet50_fpn_v2,
    "resnet50_fpn": torchvision_detection.fasterrcnn_resnet50_fpn,
    "mobilenet_v3_large_fpn": torchvision_detection.fasterrcnn_mobilenet_v3_large_fpn,
    "mobilenet_v3_large_320_fpn": torchvision_detection.fasterrcnn_mobilenet_v3_large_320_fpn,
}
COCO_WEIGHTS: dict[str, WeightsEnum] = {
    "resnet50_fpn_v2": torchvision_detection.FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
    "resnet50_fpn": torchvision_detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1,
    "mobilenet_v3_large_fpn": torchvision_detection.FasterRCNN_MobileNet_V3_Large_FPN_Weights.COCO_V1,
    "mobilenet_v3_large_320_fpn": torchvision_detection.FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1,
}
CLASS_LAYER = "roi_heads.box_predictor.cls_score.weight"


class FasterRcnnDetector:
    """Looks at one image at a time: padded to a larger neighbour's size, an image's boxes would depend on it.

    Attributes:
        classes: names of its classes, in its order, without background.
        warning: None, as it runs where it is asked to.
    """

    warning: str | None = None

    def __init__(self, model: FasterRCNN, categories: list[str], device: torch.device) -> None:
        self.classes = [name for name in categories if name]
        self._model = model.to(device).eval()
        self._categories = categories
        self._device = device

    @torch.inference_mode()
    def detect(self, pictures: list[Tensor]) -> list[Proposals]:
        """
        Args:
            images: each [3, H, W], uint8, RGB; of any sizes.
        """
        return [self._detect(picture) for picture in pictures]

    def _detect(self, picture: Tensor) -> Proposals:
        height, width = picture.shape[1:]
        unit = _wide_enough(picture, self._model.transform.max_size).to(self._device).float() / 255
        (found,) = self._model([unit])
        names = [self._categories[label] for label in found["labels"].tolist()]
        return proposals(found["boxes"].cpu(), found["scores"].cpu(), names, width, height)


def open_faster_rcnn(
    variant: str,
    file: Path | None,
    classes: list[str] | None,
    score_thresh: float,
    nms_thresh: float,
    max_boxes: int,
    device: torch.device,
) -> FasterRcnnDetector:
    """One of torchvision's, which scales images itself.

    Args:
        variant: a key of `BUILDERS`.
        file: a state_dict of that model, which nothing in is run; None for COCO's, which torchvision fetches once.
        classes: names in the detector's order, without background; None for COCO's.
        score_thresh: boxes that do not score higher are left out.
        nms_thresh: of two boxes of one class with a larger IoU, the better one stays.
        max_boxes: at most so many of an image.

    Raises:
        CliprpnError: weights_missing, weights_unsafe, weights_mismatch.
    """
    where = f"torchvision's {variant}" if file is None else str(file)
    state = _coco_state(variant) if file is None else _file_state(file)
    categories = _categories(state, classes, where)
    with torch.random.fork_rng(devices=[]):  # It is filled with random numbers first.
        model = BUILDERS[variant](
            weights=None,
            weights_backbone=None,
            num_classes=len(categories),
            box_score_thresh=score_thresh,
            box_nms_thresh=nms_thresh,
            box_detections_per_img=max_boxes,
        )
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        first = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise CliprpnError(
            "weights_mismatch",
            f"{where}: expected weights of Faster R-CNN's {variant}, found others: {first[:400]}",
        ) from error
    if variant == "resnet50_fpn" and not _trained_its_norms(state):
        _forget_epsilon(model)
    return FasterRcnnDetector(model, categories, device)


def _coco_state(variant: str) -> State:
    weights = COCO_WEIGHTS[variant]
    try:
        state: State = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:  # Of urllib, of the disk, of a file that was cut short.
        if disk_is_full(error):
            raise
        raise CliprpnError(
            "weights_missing",
            f"torchvision could not fetch its COCO weights of Faster R-CNN ({variant}) from {weights.url} "
            f"({type(error).__name__}: {error}); with no network, fetch that file elsewhere and give it as the "
            "detector's `file`",
        ) from error
    return state


def _file_state(file: Path) -> State:
    if not file.is_file():
        raise CliprpnError("weights_missing", f"{file}: expected a state_dict of Faster R-CNN, found no file")
    return read_state(file)


def _categories(state: State, classes: list[str] | None, where: str) -> list[str]:
    """Entry i names label i; "" for background, and for numbers of COCO's that have no name.

    Raises:
        CliprpnError: weights_mismatch.
    """
    layer = state.get(CLASS_LAYER)
    if layer is None or layer.ndim != 2:
        raise CliprpnError(
            "weights_mismatch",
            f"{where}: expected a state_dict of torchvision's Faster R-CNN, found none of its {CLASS_LAYER}",
        )
    num_labels = len(layer)
    coco = coco_categories()
    if num_labels == len(coco) and classes in (None, coco_classes()):
        return coco
    if classes is not None and num_labels == len(classes) + 1:
        return ["", *classes]
    found = f"found {num_labels - 1} classes and background"
    if classes is None:
        raise CliprpnError(
            "weights_mismatch",
            f"{where}: expected COCO's {len(coco)} labels, {found}; name them in `classes`, in the detector's "
            "order, without background",
        )
    raise CliprpnError(
        "weights_mismatch",
        f"{where}: expected {len(classes)} classes, as many as `classes` names, and background, {found}",
    )


def _trained_its_norms(state: State) -> bool:
    """Only norms that learn count batches: not those of torchvision's COCO weights, nor of what was tuned from them."""
    return any(key.endswith(".num_batches_tracked") for key in state)


def _forget_epsilon(model: nn.Module) -> None:
    """As torchvision does for its COCO weights of resnet50_fpn, which were trained without one."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0


def _wide_enough(picture: Tensor, max_side: int) -> Tensor:
    """Grown by black at the right or bottom edge where torchvision would scale the shorter side to nothing.

    It scales the longer side down to `max_side`; one of 5000x1 pixels keeps no row.
    """
    shortest = -(-2 * max(picture.shape[1:]) // max_side)
    missing = [max(0, shortest - side) for side in picture.shape[1:]]
    return pad(picture, (0, missing[1], 0, missing[0])) if any(missing) else picture
