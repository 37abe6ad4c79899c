"""Small datasets in the layouts of the field, with the same objects: a left dog, a right dog, and a cup in b.jpg."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from user_data import write_jsonl

SIZE = {"width": 640, "height": 480}
# Left, top, right, bottom of each object, and its expressions.
LEFT, RIGHT, CUP = (10.0, 20.0, 110.0, 220.0), (300.0, 30.0, 420.0, 230.0), (5.0, 6.0, 55.0, 66.0)
EXPRESSIONS = [
    ("a.jpg", LEFT, "the left dog"),
    ("a.jpg", RIGHT, "the dog on the right"),
    ("b.jpg", CUP, "a red cup"),
]


def xywh(box: tuple[float, ...]) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def write_odvg(folder: Path) -> Path:
    rows = [
        {
            "filename": image,
            **SIZE,
            "grounding": {"caption": text, "regions": [{"bbox": list(box), "phrase": text}]},
        }
        for image, box, text in EXPRESSIONS
    ]
    return write_jsonl(folder / "odvg.jsonl", rows)


def write_visual_genome(folder: Path) -> Path:
    ids = {"a.jpg": 1, "b.jpg": 2}
    regions: dict[str, list[dict[str, object]]] = {image: [] for image in ids}
    for number, (image, box, text) in enumerate(EXPRESSIONS):
        x, y, width, height = xywh(box)
        region = {"region_id": 40 + number, "image_id": ids[image], "phrase": text}
        regions[image].append({**region, "x": x, "y": y, "width": width, "height": height})
    data = [
        {"image_id": key, "url": f"https://example.org/rak248/VG_100K_2/{key}.jpg", **SIZE}
        for key in ids.values()
    ]
    (folder / "image_data.json").write_text(json.dumps(data))
    images = [{"id": key, "regions": regions[image]} for image, key in ids.items()]
    return write_json(folder / "region_descriptions.json", images)


def voc_xml(image: str, objects: list[str]) -> str:
    size = "".join(f"<{key}>{value}</{key}>" for key, value in SIZE.items())
    body = "\n".join(objects)
    return f"<annotation>\n<filename>{image}</filename>\n<size>{size}</size>\n{body}\n</annotation>\n"


def voc_object(box: tuple[float, ...], *elements: tuple[str, str]) -> str:
    corners = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    bndbox = "".join(f"<{name}>{value:g}</{name}>" for name, value in corners)
    texts = "".join(f"<{name}>{value}</{name}>" for name, value in elements)
    return f"<object>{texts}<bndbox>{bndbox}</bndbox></object>"


def write_voc(folder: Path, tag: str = "description") -> Path:
    root = folder / "voc"
    (root / "Annotations").mkdir(parents=True)
    for image in ("a.jpg", "b.jpg"):
        objects = [
            voc_object(box, ("name", text.split()[-1]), (tag, text))
            for name, box, text in EXPRESSIONS
            if name == image
        ]
        (root / "Annotations" / f"{image[0]}.xml").write_text(voc_xml(image, objects))
    return root


def write_grefcoco(folder: Path, refs: list[dict[str, Any]] | None = None) -> Path:
    """By default a ref per object, one of both dogs (sent_id 3), and one of nothing (sent_id 4)."""
    images = [{"id": key, "file_name": name, **SIZE} for key, name in ((1, "a.jpg"), (2, "b.jpg"))]
    annotations = [
        {"id": 11 + i, "image_id": 1 if image == "a.jpg" else 2, "category_id": 3, "bbox": xywh(box)}
        for i, (image, box, _) in enumerate(EXPRESSIONS)
    ]
    instances = {"images": images, "annotations": annotations, "categories": [{"id": 3, "name": "thing"}]}
    (folder / "instances.json").write_text(json.dumps(instances))
    if refs is None:
        refs = [gref(i, [11 + i], text) for i, (_, _, text) in enumerate(EXPRESSIONS)]
        refs += [gref(3, [11, 12], "both dogs"), gref(4, [-1], "the cat")]
    return write_json(folder / "grefs(unc).json", refs)


def gref(number: int, ann_ids: list[int], text: str) -> dict[str, Any]:
    image_id = 2 if ann_ids == [13] else 1
    return {
        "ref_id": number,
        "image_id": image_id,
        "ann_id": ann_ids,
        "no_target": ann_ids == [-1],
        "split": "val",
        "file_name": f"COCO_train2014_{image_id:012d}_{number}.jpg",
        "category_id": [3],
        "sentences": [{"sent": text, "raw": text, "sent_id": number, "exist": ann_ids != [-1]}],
        "sent_ids": [number],
    }


def write_flickr30k(folder: Path) -> Path:
    """Entity 3 has two boxes, entity 4 has none, entity 0 is not visible."""
    root = folder / "flickr30k"
    for name in ("Sentences", "Annotations"):
        (root / name).mkdir(parents=True)
    (root / "Sentences" / "a.txt").write_text(
        "[/EN#1/animals the left dog] sees [/EN#2/animals the dog on the right] .\n"
        "[/EN#3/animals Two dogs] in [/EN#4/scene the yard] , [/EN#0/notvisual it] rains .\n"
    )
    (root / "Sentences" / "b.txt").write_text("[/EN#9/other/cup a  red cup] .\n")
    objects = [
        voc_object(LEFT, ("name", "1"), ("name", "3")),
        voc_object(RIGHT, ("name", "2")),
        voc_object(RIGHT, ("name", "3")),
        "<object><name>4</name><scene>1</scene><nobndbox>0</nobndbox></object>",
    ]
    (root / "Annotations" / "a.xml").write_text(voc_xml("a.jpg", objects))
    (root / "Annotations" / "b.xml").write_text(voc_xml("b.jpg", [voc_object(CUP, ("name", "9"))]))
    return root


def write_dcube(folder: Path) -> Path:
    """COCO's JSON, whose categories are descriptions; `a dog` has two objects in a.jpg."""
    texts = [*(text for _, _, text in EXPRESSIONS), "a dog"]
    annotations = [
        {"id": i, "image_id": 1 if image == "a.jpg" else 2, "category_id": i + 1, "bbox": xywh(box)}
        for i, (image, box, _) in enumerate(EXPRESSIONS)
    ]
    annotations += [
        {"id": 10 + i, "image_id": 1, "category_id": 4, "bbox": xywh(box)}
        for i, box in enumerate((LEFT, RIGHT))
    ]
    content = {
        "images": [{"id": key, "file_name": name, **SIZE} for key, name in ((1, "a.jpg"), (2, "b.jpg"))],
        "annotations": annotations,
        "categories": [{"id": i + 1, "name": text} for i, text in enumerate(texts)],
    }
    return write_json(folder / "d3_full_annotations.json", content)


def write_json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


# Writer and box format of each layout; all of them give EXPRESSIONS.
LAYOUTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "odvg": (write_odvg, "xyxy"),
    "visual_genome": (write_visual_genome, "xywh"),
    "voc": (write_voc, "xyxy"),
    "grefcoco": (write_grefcoco, "xywh"),
    "flickr30k": (write_flickr30k, "xyxy"),
    "dcube": (write_dcube, "xywh"),
}
