"""Prepares a dataset like the command line, but with Pillow and without Node."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from cliprpn.contract.generated import PixelsManifest, RefcocoSource
from cliprpn.data.pixels import pixels_folder
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables

PER_SHARD = 5
Resize = Literal["squash", "letterbox"]


def source_of(root: Path, split_by: str = "umd") -> RefcocoSource:
    """The annotations of a folder in the layout of RefCOCOg."""
    annotations = root / "annotations"
    return RefcocoSource(
        layout="refcoco",
        instances_file=str(annotations / "instances.json"),
        refs_file=str(annotations / f"refs({split_by}).p"),
    )


def prepare(
    root: Path,
    folder: Path,
    size: int = 64,
    split_by: str = "umd",
    dataset_id: str = "blocks",
    resize: Resize = "squash",
) -> Path:
    """Prepares a folder in the layout of RefCOCOg; its images must be valid. Returns `folder`."""
    source = source_of(root, split_by)
    read = read_source(source)
    manifest = write_pixels(
        [root / "images" / image.file_name for image in read.annotations.images],
        [image.file_name for image in read.annotations.images],
        pixels_folder(folder, size, resize),
        size,
        resize,
    )
    write_tables(read.annotations, manifest, folder)
    own = {"id": dataset_id, "name": "blocks", "split_by": split_by, "images_dir": str(root / "images")}
    facts = dataset_facts(own | {"source": source.model_dump(), "split_rule": read.split_rule})
    (folder / "dataset.json").write_text(json.dumps(facts))
    return folder


def dataset_facts(own: dict[str, Any]) -> dict[str, Any]:
    """The content of a dataset.json: what a test gives, and values without meaning for the rest."""
    return {
        "format_version": 1,
        "annotation_files": [],
        "images_dir": None,
        "max_pixels": 80_000_000,
        "follow_links": False,
        "allow_missing": False,
        "pictures_sha256": "0" * 64,
        "dropped": {"num_images": 0, "num_refs": 0, "num_sentences": 0},
        "splits": [],
        "deviations": [],
        "notes": [],
        "prepared_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cliprpn_version": "0",
        **own,
    }


def write_pixels(
    files: list[Path],
    names: list[str],
    folder: Path,
    size: int,
    resize: Resize = "squash",
    per_shard: int = PER_SHARD,
) -> PixelsManifest:
    """Writes shards of a few images, and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    shards = []
    for number, start in enumerate(range(0, len(files), per_shard)):
        records, pixels = [], []
        for file, name in list(zip(files, names, strict=True))[start : start + per_shard]:
            with Image.open(file) as image:
                width, height = image.size
                whole = size / np.array([width, height])
                scales = whole if resize == "squash" else np.minimum(whole, whole[::-1])
                inner = [round(side) for side in (scales * [width, height]).tolist()]
                left, top = ((size - side) // 2 for side in inner)
                square = Image.new("RGB", (size, size))
                square.paste(image.convert("RGB").resize(inner, Image.Resampling.BICUBIC), (left, top))
            pixels.append(np.asarray(square))
            records.append(
                {
                    "file_name": name,
                    "bytes": file.stat().st_size,
                    "mtime_ms": 0,
                    "width": width,
                    "height": height,
                    "upright": False,
                    "scale_x": inner[0] / width,
                    "scale_y": inner[1] / height,
                    "left_px": left,
                    "top_px": top,
                    "problem": None,
                }
            )
        path = folder / f"shard-{number:05d}.npy"
        np.save(path, np.stack(pixels))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        shards.append({"file": path.name, "sha256": digest, "pictures": records})
    manifest = PixelsManifest.model_validate(
        {
            "preprocessing_version": "pillow",
            "image_size_px": size,
            "resize": resize,
            "pixels_id": hashlib.sha256("".join(shard["sha256"] for shard in shards).encode()).hexdigest()[
                :16
            ],
            "shards": shards,
        }
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return manifest
