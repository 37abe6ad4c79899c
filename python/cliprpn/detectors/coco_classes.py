"""COCO's classes, as torchvision names them."""

from __future__ import annotations

from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights


def coco_classes() -> list[str]:
    """COCO's 80 names in COCO's order, `person` first: the numbering of YOLO and YOLOX."""
    return [name for name in coco_categories() if name]


def coco_categories() -> list[str]:
    """Entry i is the name of COCO's category id i, 0 to 90; "" for the ten ids without one and for 0, background."""
    named: list[str] = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    return ["" if name in ("__background__", "N/A") else name for name in named]


def are_of_coco(classes: list[str]) -> bool:
    """Whether there are any and all are COCO's, in whatever order and case: of detections not every class may occur."""
    return bool(classes) and {name.lower() for name in classes} <= set(coco_classes())
