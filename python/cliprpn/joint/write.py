"""Writes a dataset in RefCOCOg's layout."""

from __future__ import annotations

import pickle
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cliprpn.storage.durable import write_durably, write_json

# Objects of two datasets are the same if their boxes are, to a tenth of a pixel: both may have been written as text.
BOX_DIGITS = 1


@dataclass
class JointImage:
    """An image and its objects, by category and rounded box."""

    file_name: str
    width: int
    height: int
    objects: dict[Hashable, tuple[str | None, Sequence[float]]] = field(default_factory=dict)

    def add_object(self, category: str | None, box_xyxy: Sequence[float], num_equal: int = 0) -> Hashable:
        """Adds an object unless the image has it. Returns its key.

        Args:
            num_equal: how many objects of the same dataset have the same category and box; each counts.
        """
        key = (self.object_key(category, box_xyxy), num_equal)
        self.objects.setdefault(key, (category, box_xyxy))
        return key

    @staticmethod
    def object_key(category: str | None, box_xyxy: Sequence[float]) -> Hashable:
        """Equal for the same object of two datasets."""
        return (category or None, *(round(value, BOX_DIGITS) for value in box_xyxy))


@dataclass(frozen=True)
class JointRef:
    """A referring expression.

    Attributes:
        key: of the referred object in its dataset; expressions with the same key are one ref.
        sent_id: in its dataset.
        image: number of its image.
        object: key of its object.
        pair: key of the pair of expressions that it is part of.
    """

    key: Hashable
    sent_id: int
    image: int
    object: Hashable
    split: str
    sentence: str
    stratum: str | None
    pair: Hashable | None


def write_joint(folder: Path, images: Mapping[int, JointImage], refs: Sequence[JointRef]) -> None:
    """Writes `annotations/instances.json` and `annotations/refs(own).p`, with new ids; expressions of val keep theirs.

    Args:
        images: by their number.

    Raises:
        CliprpnError: no_space.
    """
    image_ids = {number: position for position, number in enumerate(images, start=1)}
    objects = [
        (number, key, *found) for number, image in images.items() for key, found in image.objects.items()
    ]
    ann_ids = {(number, key): position for position, (number, key, _, _) in enumerate(objects, start=1)}
    names = dict.fromkeys(category or "" for _, _, category, _ in objects)
    category_ids = {name: position for position, name in enumerate(names, start=1)}
    instances = {
        "images": [
            {
                "id": image_ids[number],
                "file_name": image.file_name,
                "width": image.width,
                "height": image.height,
            }
            for number, image in images.items()
        ],
        "annotations": [
            {
                "id": ann_ids[number, key],
                "image_id": image_ids[number],
                "category_id": category_ids[category or ""],
                "bbox": _xywh(box_xyxy),
            }
            for number, key, category, box_xyxy in objects
        ],
        "categories": [{"id": position, "name": name} for name, position in category_ids.items()],
    }
    annotations = folder / "annotations"
    annotations.mkdir(parents=True, exist_ok=True)
    write_json(annotations / "instances.json", instances)
    # The name of refs is that of refs_file; it is read without running any code.
    write_durably(annotations / "refs(own).p", pickle.dumps(_refs(refs, image_ids, ann_ids), protocol=2))


def _refs(
    refs: Sequence[JointRef], image_ids: Mapping[int, int], ann_ids: Mapping[tuple[int, Hashable], int]
) -> list[dict[str, object]]:
    """RefCOCO's refs: one for each referred object, with its expressions."""
    first_free = 1 + max((ref.sent_id for ref in refs if ref.split == "val"), default=0)
    pair_ids: dict[Hashable, int] = {}
    by_key: dict[Hashable, dict[str, Any]] = {}
    for ref in refs:
        record = by_key.setdefault(
            (ref.split, ref.key),
            {
                "ref_id": len(by_key) + 1,
                "ann_id": ann_ids[ref.image, ref.object],
                "image_id": image_ids[ref.image],
                "split": ref.split,
                "sentences": [],
            },
        )
        sentence = {"sent_id": ref.sent_id if ref.split == "val" else first_free, "sent": ref.sentence}
        first_free += ref.split != "val"
        if ref.stratum is not None:
            sentence["stratum"] = ref.stratum
        if ref.pair is not None:
            sentence["pair_id"] = pair_ids.setdefault(ref.pair, len(pair_ids) + 1)
        record["sentences"].append(sentence)
    return list(by_key.values())


def _xywh(box_xyxy: Sequence[float]) -> list[float]:
    left, top, right, bottom = box_xyxy
    return [left, top, right - left, bottom - top]
