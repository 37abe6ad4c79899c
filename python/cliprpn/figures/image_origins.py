"""The published collections that images come from, judging by their names: what a detector may have been trained on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from cliprpn.contract.generated import ImageOriginCount

# In this order: a more specific name first. Each is searched in the path of an image, as the annotations write it.
PATTERNS = (
    ("coco_train2014", r"(^|/)COCO_train2014_\d+"),
    ("coco_val2014", r"(^|/)COCO_val2014_\d+"),
    ("coco_train2017", r"(^|/)train2017/\d{12}\.jpe?g$"),
    ("coco_val2017", r"(^|/)val2017/\d{12}\.jpe?g$"),
    ("coco", r"(^|/)(COCO_[a-z]+\d{4}_)?\d{12}\.jpe?g$"),
    ("visual_genome", r"(^|/)VG_100K(_2)?/\d+\.jpe?g$"),
    ("flickr30k", r"(^|/)flickr30k[^/]*/(.*/)?\d+\.jpe?g$"),
    ("objects365", r"(^|/)objects365_v\d_\d+\.jpe?g$"),
    ("open_images", r"(^|/)[0-9a-f]{16}\.jpe?g$"),
)
COMPILED = [(origin, re.compile(pattern, re.IGNORECASE)) for origin, pattern in PATTERNS]


def count_origins(file_names: Iterable[str], split_by: str) -> list[ImageOriginCount]:
    """Counts images by the collection that they come from, most frequent first.

    Args:
        file_names: as in the annotations, one per image.
        split_by: the published splits, other than `own`, have images of COCO train2014 only, whatever they are named.
    """
    is_published = split_by != "own"
    counts = Counter("coco_train2014" if is_published else image_origin(name) for name in file_names)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [ImageOriginCount.model_validate({"origin": name, "num_images": num}) for name, num in ordered]


def image_origin(file_name: str) -> str:
    """The collection of an image; `other` for an unknown name."""
    return next((origin for origin, pattern in COMPILED if pattern.search(file_name)), "other")
