"""torchvision's Faster R-CNN, with torchvision's COCO weights or weights from a file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torchvision.models import WeightsEnum
from torchvision.models import detection as torchvision_detection
from torchvision.models.detection.faster_rcnn import FasterRCNN

from cliprpn.detectors.coco_classes import coco_categories, coco_classes
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.errors import CliprpnError, disk_is_full
from cliprpn.storage.state_files import State, read_state

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


class TorchvisionFasterRcnn:
    """A Faster R-CNN as a detector.

    Processes one image at a time: in a batch, torchvision pads images to the largest, which changes their boxes.

    Attributes:
        classes: class names, in the detector's order, without background.
        warning: always None, since the model runs on the requested device.
    """

    warning: str | None = None

    def __init__(self, model: FasterRCNN, categories: list[str], device: torch.device) -> None:
        self.classes = [name for name in categories if name]
        self._model = model.to(device).eval()
        self._categories = categories
        self._device = device

    @torch.inference_mode()
    def detect(self, images: list[Tensor]) -> list[Proposals]:
        """Detects objects in images.

        Args:
            images: each [3, H, W], uint8, RGB; sizes may differ.
        """
        return [self._detect(image) for image in images]

    def _detect(self, image: Tensor) -> Proposals:
        height, width = image.shape[1:]
        padded = _pad_thin(image, self._model.transform.max_size).to(self._device).float() / 255
        (detections,) = self._model([padded])
        names = [self._categories[label] for label in detections["labels"].tolist()]
        return make_proposals(detections["boxes"].cpu(), detections["scores"].cpu(), names, width, height)


def open_faster_rcnn(
    variant: str,
    file: Path | None,
    classes: list[str] | None,
    score_thresh: float,
    nms_thresh: float,
    max_boxes: int,
    device: torch.device,
) -> TorchvisionFasterRcnn:
    """Opens one of torchvision's variants; the model resizes images itself.

    Args:
        variant: a key of `BUILDERS`.
        file: a state_dict of that model, loaded without executing code; None for torchvision's COCO weights, which
            are downloaded once.
        classes: class names in the detector's order, without background; None for COCO's.
        score_thresh: boxes must score higher than this.
        nms_thresh: of two boxes of one class with a higher IoU, only the better one is kept.
        max_boxes: maximum number of boxes per image.

    Raises:
        CliprpnError: weights_missing, weights_unsafe, weights_mismatch.
    """
    where = f"torchvision's {variant}" if file is None else str(file)
    state = _coco_state(variant) if file is None else _file_state(file)
    categories = _categories(state, classes, where)
    with torch.random.fork_rng(devices=[]):  # Building the model draws random weights.
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
        details = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise CliprpnError(
            "weights_mismatch",
            f"{where}: expected weights of Faster R-CNN {variant}, found weights of another model: {details[:400]}",
        ) from error
    if variant == "resnet50_fpn" and not _has_trained_norms(state):
        _zero_epsilon(model)
    return TorchvisionFasterRcnn(model, categories, device)


def _coco_state(variant: str) -> State:
    """torchvision's COCO weights, downloaded once.

    Raises:
        CliprpnError: weights_missing.
    """
    weights = COCO_WEIGHTS[variant]
    try:
        state: State = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:  # Network errors, disk errors, a truncated file.
        if disk_is_full(error):
            raise
        raise CliprpnError(
            "weights_missing",
            f"torchvision could not download its COCO weights of Faster R-CNN ({variant}) from {weights.url} "
            f"({type(error).__name__}: {error}); without a network, download that file elsewhere and set it as the "
            "detector's `file`",
        ) from error
    return state


def _file_state(file: Path) -> State:
    """
    Raises:
        CliprpnError: weights_missing, weights_unsafe, weights_mismatch.
    """
    if not file.is_file():
        raise CliprpnError("weights_missing", f"{file}: expected a state_dict of Faster R-CNN, found no file")
    return read_state(file)


def _categories(state: State, classes: list[str] | None, where: str) -> list[str]:
    """Entry i names label i; "" for background and for COCO's unused ids.

    Raises:
        CliprpnError: weights_mismatch.
    """
    layer = state.get(CLASS_LAYER)
    if layer is None or layer.ndim != 2:
        raise CliprpnError(
            "weights_mismatch",
            f"{where}: expected a state_dict of torchvision's Faster R-CNN, found one without {CLASS_LAYER}",
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
            f"{where}: expected COCO's {len(coco)} labels, {found}; list the class names in `classes`, in the "
            "detector's order, without background",
        )
    raise CliprpnError(
        "weights_mismatch",
        f"{where}: expected {len(classes)} classes, one per name in `classes`, and background, {found}",
    )


def _has_trained_norms(state: State) -> bool:
    """Whether batch norms were trained: only then do they count batches.

    torchvision's COCO weights, and weights fine-tuned from them, have frozen norms without that counter.
    """
    return any(key.endswith(".num_batches_tracked") for key in state)


def _zero_epsilon(model: nn.Module) -> None:
    """Sets the epsilon of batch norms to 0, as torchvision does for its COCO weights of resnet50_fpn."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0


def _pad_thin(image: Tensor, max_side: int) -> Tensor:
    """Pads very thin images with black at the right or bottom, so that resizing leaves at least one row and column.

    torchvision scales the longer side down to `max_side`; a 5000x1 image would keep no row.
    """
    min_side = -(-2 * max(image.shape[1:]) // max_side)
    missing = [max(0, min_side - side) for side in image.shape[1:]]
    return pad(image, (0, missing[1], 0, missing[0])) if any(missing) else image
