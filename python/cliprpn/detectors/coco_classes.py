"""COCO's class names, as torchvision lists them."""

from __future__ import annotations

from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights


def coco_classes() -> list[str]:
    """COCO's 80 class names in COCO's order, `person` first: the class numbering of YOLO and YOLOX."""
    return [name for name in coco_categories() if name]


def coco_categories() -> list[str]:
    """Entry i is the name of COCO's category id i, 0 to 90; "" for 0 (background) and for the ten unused ids."""
    names: list[str] = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    return ["" if name in ("__background__", "N/A") else name for name in names]


def are_coco_classes(classes: list[str]) -> bool:
    """Whether all names are COCO's, in any order and case. False for an empty list.

    A subset counts: a file of detections need not contain every class.
    """
    return bool(classes) and {name.lower() for name in classes} <= set(coco_classes())
