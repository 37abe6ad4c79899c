"""Reads RefCOCOg's own layout: `annotations/instances.json`, `annotations/refs(umd).p`, `images/`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cliprpn.data.unpickler import load_plain
from cliprpn.errors import CliprpnError

SPLITS = ("train", "val", "test")
MAX_SHOWN = 20
# COCO's boxes may stick out of the picture by rounding.
EDGE_TOLERANCE_PX = 1.0


@dataclass(frozen=True)
class ImageRow:
    """A picture; `file_name` is relative to `images/`."""

    image_id: int
    file_name: str
    width: int
    height: int


@dataclass(frozen=True)
class SentenceRow:
    """A referring expression with the box that it means (xyxy, pixels of the original picture)."""

    sent_id: int
    ref_id: int
    ann_id: int
    image_id: int
    split: str
    sentence: str
    gt_box_xyxy: tuple[float, float, float, float]
    category: str
    num_same_category: int
    stratum: str | None
    pair_id: int | None


def read_refcocog(root: Path, split_by: str) -> tuple[list[ImageRow], list[SentenceRow]]:
    """Pictures that are referred to, and all sentences in the file's order.

    A ref's `file_name` is ignored (it is the real name plus `_<ann_id>`): its picture is found by
    image_id in instances.json.

    Raises:
        CliprpnError: data_invalid, naming every problem up to twenty.
    """
    instances = _read_instances(root / "annotations" / "instances.json")
    refs = _read_refs(root / "annotations" / f"refs({split_by}).p")
    problems: list[str] = []
    images = {image["id"]: image for image in instances["images"]}
    annotations = {annotation["id"]: annotation for annotation in instances["annotations"]}
    categories = {category["id"]: category["name"] for category in instances["categories"]}
    same = Counter((a["image_id"], a["category_id"]) for a in instances["annotations"])
    rows: list[SentenceRow] = []
    used: dict[int, ImageRow] = {}
    for ref in refs:
        where = f"ref {ref.get('ref_id')}"
        annotation, image = annotations.get(ref["ann_id"]), images.get(ref["image_id"])
        if annotation is None or image is None:
            what = f"ann_id {ref['ann_id']}" if annotation is None else f"image_id {ref['image_id']}"
            problems.append(f"{where}: expected its {what} in instances.json, found none")
            continue
        if annotation["image_id"] != ref["image_id"]:
            problems.append(
                f"{where}: its ann_id {ref['ann_id']} lies in picture {annotation['image_id']}, not {ref['image_id']}"
            )
            continue
        if ref["split"] not in SPLITS:
            problems.append(f"{where}: expected split train, val or test, found {ref['split']!r}")
            continue
        box = _box_xyxy(annotation["bbox"], image, f"{where}, ann_id {ref['ann_id']}", problems)
        if box is None:
            continue
        if image["id"] not in used:
            used[image["id"]] = _image_row(image, root / "images", problems)
        for sentence in ref["sentences"]:
            rows.append(
                SentenceRow(
                    sent_id=int(sentence["sent_id"]),
                    ref_id=int(ref["ref_id"]),
                    ann_id=int(ref["ann_id"]),
                    image_id=int(ref["image_id"]),
                    split=ref["split"],
                    sentence=str(sentence["sent"]),
                    gt_box_xyxy=box,
                    category=categories.get(annotation["category_id"], str(annotation["category_id"])),
                    num_same_category=same[annotation["image_id"], annotation["category_id"]],
                    stratum=sentence.get("stratum"),
                    pair_id=sentence.get("pair_id"),
                )
            )
    repeated = [sent_id for sent_id, count in Counter(row.sent_id for row in rows).items() if count > 1]
    problems += [f"sent_id {sent_id} stands more than once" for sent_id in repeated]
    if not rows and not problems:
        problems.append(f"refs({split_by}).p holds no sentence")
    if problems:
        raise CliprpnError("data_invalid", _listed(root, problems))
    return list(used.values()), rows


def _read_instances(path: Path) -> dict[str, Any]:
    _expect_file(path, "COCO's annotations")
    try:
        instances = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CliprpnError("data_invalid", f"{path}: expected JSON: {error}") from error
    needs = {
        "images": ("id", "file_name", "width", "height"),
        "annotations": ("id", "image_id", "category_id", "bbox"),
        "categories": ("id", "name"),
    }
    for key, fields in needs.items():
        items = instances.get(key) if isinstance(instances, dict) else None
        if not isinstance(items, list):
            raise CliprpnError("data_invalid", f"{path}: expected a list `{key}`, found none")
        for position, item in enumerate(items):
            lacking = [f for f in fields if not isinstance(item, dict) or f not in item]
            if lacking:
                raise CliprpnError(
                    "data_invalid",
                    f"{path}: {key}[{position}]: expected {', '.join(lacking)}, found none",
                )
    return instances


def _read_refs(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        found = sorted(p.name for p in path.parent.glob("refs(*).p"))
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected the refs of this split_by, found {', '.join(found) or 'no refs file'} in the folder",
        )
    refs = load_plain(path)
    fields = ("ref_id", "ann_id", "image_id", "split", "sentences")
    if not isinstance(refs, list):
        raise CliprpnError("data_invalid", f"{path}: expected a list of refs, found {type(refs).__name__}")
    for position, ref in enumerate(refs):
        lacking = [f for f in fields if not isinstance(ref, dict) or f not in ref]
        if not lacking:
            sentences = ref["sentences"]
            good = isinstance(sentences, list) and all(
                isinstance(s, dict) and "sent_id" in s and "sent" in s for s in sentences
            )
            lacking = [] if good else ["sentences with sent_id and sent"]
        if lacking:
            raise CliprpnError(
                "data_invalid",
                f"{path}: ref at {position}: expected {', '.join(lacking)}, found none",
            )
    return refs


def _box_xyxy(
    bbox: Any, image: dict[str, Any], where: str, problems: list[str]
) -> tuple[float, float, float, float] | None:
    """COCO's xywh as xyxy, cut at the picture's edges where rounding left it outside."""
    try:
        x, y, w, h = (float(value) for value in bbox)
    except (TypeError, ValueError):
        problems.append(f"{where}: expected a box of four numbers, found {bbox!r}")
        return None
    width, height = image["width"], image["height"]
    size = f"{width} x {height} picture {image['id']}"
    if not (w > 0 and h > 0):
        problems.append(f"{where}: expected a box with an area, found {w:g} x {h:g} in the {size}")
        return None
    edge = EDGE_TOLERANCE_PX
    if x < -edge or y < -edge or x + w > width + edge or y + h > height + edge:
        problems.append(f"{where}: the box {[x, y, w, h]} (xywh) lies outside the {size}")
        return None
    return max(0.0, x), max(0.0, y), min(float(width), x + w), min(float(height), y + h)


def _image_row(image: dict[str, Any], folder: Path, problems: list[str]) -> ImageRow:
    name = str(image["file_name"])
    path = folder / name
    inside = path.resolve().is_relative_to(folder.resolve())
    if not inside:
        problems.append(f"picture {image['id']}: its file name {name!r} leads out of {folder}")
    elif not path.is_file():
        problems.append(f"picture {image['id']}: expected {path}, found no file")
    return ImageRow(int(image["id"]), name, int(image["width"]), int(image["height"]))


def _expect_file(path: Path, what: str) -> None:
    if not path.is_file():
        raise CliprpnError("data_invalid", f"{path}: expected {what}, found no file")


def _listed(root: Path, problems: list[str]) -> str:
    shown = "\n".join(f"  {problem}" for problem in problems[:MAX_SHOWN])
    more = f"\n  and {len(problems) - MAX_SHOWN} more" if len(problems) > MAX_SHOWN else ""
    return f"{root}: {len(problems)} problems in the data set\n{shown}{more}"
