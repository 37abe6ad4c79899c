"""Writes one dataset in many formats, with its images inside a table and in archives.

    python test/cases/write_roads.py EXPORTED.jsonl IMAGES OUT

EXPORTED.jsonl is what `cliprpn dataset export` wrote, boxes xywh in pixels.
"""

from __future__ import annotations

import csv
import gzip
import json
import pickle
import sys
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


def main() -> None:
    exported, images, out = (Path(argument) for argument in sys.argv[1:])
    rows = [json.loads(line) for line in exported.read_text(encoding="utf-8").splitlines()]
    out.mkdir(exist_ok=True)
    write_four_columns(rows, out / "four.csv")
    write_nested(rows, out / "nested.json")
    write_table(rows, images, out / "inside.parquet")
    write_mdetr(rows, out)
    write_transvg(rows, out)
    write_odvg(rows, out)
    write_regions(rows, out)
    write_lines([{**row, "box": scaled(row, 1000, digits=0)} for row in rows], out / "vlm.jsonl")
    text = "".join(f"{json.dumps({**row, 'box': normalized(row)})}\n" for row in rows)
    (out / "norm.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    with tarfile.open(out / "images.tar.gz", "w:gz") as tar:
        tar.add(images, "photos")
    with zipfile.ZipFile(out / "images.zip", "w") as archive:
        for file in sorted(images.iterdir()):
            archive.write(file, f"train2014/{file.name}")


def xyxy(row: Row) -> list[float]:
    x, y, width, height = row["box"]
    return [x, y, x + width, y + height]


def scaled(row: Row, factor: float, digits: int) -> list[float]:
    """xyxy in shares of the image, times `factor`, rounded."""
    sides = (row["width"], row["height"]) * 2
    return [round(value / side * factor, digits) for value, side in zip(xyxy(row), sides, strict=True)]


def whole_pixels(row: Row) -> dict[str, int]:
    """x, y, width and height with rounded edges."""
    left, top, right, bottom = map(round, xyxy(row))
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def normalized(row: Row) -> list[float]:
    """xywh in shares of the image."""
    return [value / side for value, side in zip(row["box"], (row["width"], row["height"]) * 2, strict=True)]


def write_lines(rows: list[Row], path: Path) -> None:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")


def write_four_columns(rows: list[Row], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["File", "Caption", "xmin", "ymin", "xmax", "ymax", "Split"])
        for row in rows:
            writer.writerow([row["image"], row["sentence"], *xyxy(row), row["split"]])


def write_nested(rows: list[Row], path: Path) -> None:
    names = ("left", "top", "width", "height")
    items = [
        {
            "img": {"file": row["image"], "size": [row["width"], row["height"]]},
            "text": {"en": row["sentence"]},
            "target": {"box": dict(zip(names, row["box"], strict=True))},
            "subset": {"train": "training", "val": "validation", "test": "test"}[row["split"]],
        }
        for row in rows
    ]
    path.write_text(json.dumps({"version": 1, "data": {"items": items}}), encoding="utf-8")


def write_table(rows: list[Row], images: Path, path: Path) -> None:
    """As on dataset hubs: a row per object, with the bytes of its image and a list of expressions."""
    by_object: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_object[row["ann_id"]].append(row)
    table = pa.Table.from_pylist(
        [
            {
                "image": {"bytes": (images / first["image"]).read_bytes(), "path": first["image"]},
                "answer": [row["sentence"] for row in group],
                "bbox": first["box"],
                "split": first["split"],
            }
            for group in by_object.values()
            for first in group[:1]
        ]
    )
    pq.write_table(table, path, row_group_size=50)


def write_mdetr(rows: list[Row], out: Path) -> None:
    for split in ("train", "val", "test"):
        part = [row for row in rows if row["split"] == split]
        entries = [
            {
                "file_name": row["image"],
                "width": row["width"],
                "height": row["height"],
                "id": number,
                "original_id": row["image_id"],
                "caption": row["sentence"],
            }
            for number, row in enumerate(part)
        ]
        annotations = [
            {
                "id": number,
                "image_id": number,
                "original_id": row["ann_id"],
                "bbox": row["box"],
                "category_id": 1,
            }
            for number, row in enumerate(part)
        ]
        content = {"images": entries, "annotations": annotations, "categories": []}
        (out / f"mdetr_{split}.json").write_text(json.dumps(content), encoding="utf-8")


def write_transvg(rows: list[Row], out: Path) -> None:
    for split in ("train", "val", "test"):
        part = [
            (row["image"], f"{row['ann_id']}.pth", np.array(row["box"]), row["sentence"], [])
            for row in rows
            if row["split"] == split
        ]
        (out / f"transvg_{split}.pth").write_bytes(pickle.dumps(part))


def write_odvg(rows: list[Row], out: Path) -> None:
    for split in ("train", "val", "test"):
        part = [
            {
                "filename": row["image"],
                "width": row["width"],
                "height": row["height"],
                "grounding": {
                    "caption": row["sentence"],
                    "regions": [{"bbox": xyxy(row), "phrase": row["sentence"]}],
                },
            }
            for row in rows
            if row["split"] == split
        ]
        write_lines(part, out / f"odvg_{split}.jsonl")


def write_regions(rows: list[Row], out: Path) -> None:
    """Visual Genome's region_descriptions.json and image_data.json; its coordinates are whole pixels."""
    for split in ("train", "val", "test"):
        by_image: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            if row["split"] == split:
                by_image[row["image_id"]].append(row)
        regions = [
            {
                "id": image_id,
                "regions": [
                    {
                        "region_id": row["sent_id"],
                        "image_id": image_id,
                        "phrase": row["sentence"],
                        **whole_pixels(row),
                    }
                    for row in group
                ],
            }
            for image_id, group in by_image.items()
        ]
        data = [
            {
                "image_id": image_id,
                "url": f"https://example.org/VG_100K/{group[0]['image']}",
                "width": group[0]["width"],
                "height": group[0]["height"],
            }
            for image_id, group in by_image.items()
        ]
        folder = out / f"regions_{split}"
        folder.mkdir(exist_ok=True)
        (folder / "region_descriptions.json").write_text(json.dumps(regions), encoding="utf-8")
        (folder / "image_data.json").write_text(json.dumps(data), encoding="utf-8")


if __name__ == "__main__":
    main()
