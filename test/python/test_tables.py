"""The index of a prepared dataset: annotations joined with the prepared images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from helpers import HEIGHT, WIDTH, small_dataset
from prepared import source_of, write_pixels

from cliprpn.bridge.methods import METHODS, CallContext
from cliprpn.contract.generated import IndexDatasetParams, PixelsManifest, ReadAnnotationsParams
from cliprpn.data.annotations import Annotations, Box, BoxFormat, ImageRecord, ObjectRecord, SentenceRecord
from cliprpn.data.tables import Dropped, write_tables
from cliprpn.errors import CliprpnError


def annotations(
    boxes: dict[int, Box] | None = None, box_format: BoxFormat = "xywh", sizes: bool = True
) -> Annotations:
    """Three images with two objects each; the second object of each has two sentences.

    Args:
        boxes: boxes that differ from [10, 20, 30, 40], by ann_id.
    """
    width, height = (WIDTH, HEIGHT) if sizes else (None, None)
    all_boxes = {ann_id: (10.0, 20.0, 30.0, 40.0) for ann_id in range(6)} | (boxes or {})
    return Annotations(
        box_format,
        [ImageRecord(image_id, f"{image_id}.jpg", width, height) for image_id in range(3)],
        {
            ann_id: ObjectRecord(ann_id, ann_id // 2, "dog", box, f"a.json: annotation {ann_id}")
            for ann_id, box in all_boxes.items()
        },
        [
            SentenceRecord(
                2 * image_id + n, 100 + image_id, 2 * image_id + 1, image_id, "train", f"dog {n}", "color", 7
            )
            for image_id in range(3)
            for n in range(2)
        ],
    )


def manifest(problems: dict[int, str] | None = None, names: str = "{}.jpg", **changes: Any) -> PixelsManifest:
    """A manifest of the three images, one per shard.

    Args:
        problems: by image.
        changes: applied to every image's entry.
    """
    images = [
        {
            "file_name": names.format(number),
            "bytes": 0,
            "mtime_ms": 0,
            "width": WIDTH,
            "height": HEIGHT,
            "upright": number == 1,
            "scale_x": 1,
            "scale_y": 1,
            "left_px": 0,
            "top_px": 0,
            "problem": (problems or {}).get(number),
        }
        | changes
        for number in range(3)
    ]
    shards = [
        {"file": f"shard-{number:05d}.npy", "sha256": "0" * 64, "pictures": [image]}
        for number, image in enumerate(images)
    ]
    return PixelsManifest.model_validate(
        {
            "preprocessing_version": "1",
            "image_size_px": 64,
            "resize": "squash",
            "pixels_id": "abc",
            "shards": shards,
        }
    )


def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    return pq.read_table(folder / f"{name}.parquet").to_pylist()


def test_every_image_sentence_and_object_has_a_row(tmp_path: Path) -> None:
    assert write_tables(annotations(), manifest(), tmp_path).dropped == Dropped(0, 0, 0)
    assert rows_of(tmp_path, "images")[1] == {
        "image_id": 1,
        "file_name": "1.jpg",
        "width": WIDTH,
        "height": HEIGHT,
        "upright": True,
        "pixel_row": 1,
    }
    assert rows_of(tmp_path, "objects")[2] == {
        "ann_id": 2,
        "image_id": 1,
        "category": "dog",
        "box_xyxy": [10, 20, 40, 60],
    }
    assert rows_of(tmp_path, "sentences")[3] == {
        "sent_id": 3,
        "ref_id": 101,
        "ann_id": 3,
        "image_id": 1,
        "split": "train",
        "sentence": "dog 1",
        "gt_box_xyxy": [10, 20, 40, 60],
        "category": "dog",
        "num_same_category": 2,
        "stratum": "color",
        "pair_id": 7,
        "source_box": [10, 20, 30, 40],
    }


def test_refs_of_an_image_with_a_problem_are_dropped_and_counted(tmp_path: Path) -> None:
    assert write_tables(annotations(), manifest({1: "missing"}), tmp_path).dropped == Dropped(1, 1, 2)
    assert [(row["image_id"], row["pixel_row"]) for row in rows_of(tmp_path, "images")] == [(0, 0), (2, 2)]
    assert [row["sent_id"] for row in rows_of(tmp_path, "sentences")] == [0, 1, 4, 5]
    assert [row["ann_id"] for row in rows_of(tmp_path, "objects")] == [0, 1, 4, 5]


def test_a_box_in_a_dropped_image_is_not_checked(tmp_path: Path) -> None:
    invalid = annotations({3: (500.0, 0.0, 5.0, 5.0)})
    assert write_tables(invalid, manifest({1: "broken"}), tmp_path).dropped.num_refs == 1
    with pytest.raises(CliprpnError, match=r"a\.json: annotation 3: "):
        write_tables(invalid, manifest(), tmp_path)


def test_a_dataset_whose_images_are_all_missing_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="expected a sentence") as caught:
        write_tables(annotations(), manifest(dict.fromkeys(range(3), "missing")), tmp_path)
    assert caught.value.code == "data_invalid" and not list(tmp_path.iterdir())


@pytest.mark.parametrize("box", [(500.0, 0.0, 5.0, 5.0), (5.0, 5.0, 0.0, 9.0), (float("nan"), 0.0, 5.0, 5.0)])
def test_an_invalid_box_without_a_sentence_is_dropped(tmp_path: Path, box: Box) -> None:
    write_tables(annotations({2: box}), manifest(), tmp_path)
    assert [row["ann_id"] for row in rows_of(tmp_path, "objects")] == [0, 1, 3, 4, 5]
    assert len(rows_of(tmp_path, "sentences")) == 6


def test_an_invalid_referred_box_is_a_problem_and_no_table_is_written(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match=r"a\.json: annotation 5: expected a box") as caught:
        write_tables(annotations({5: (500.0, 0.0, 5.0, 5.0)}), manifest(), tmp_path)
    assert caught.value.code == "data_invalid" and f"{WIDTH} x {HEIGHT} image 2.jpg" in caught.value.message
    assert not list(tmp_path.iterdir())


def test_boxes_are_checked_against_the_real_image_size_not_the_annotated_one(tmp_path: Path) -> None:
    """An image rotated by its EXIF flag may have other sides than its annotations say."""
    wide = annotations({5: (100.0, 0.0, 15.0, 30.0)})
    write_tables(wide, manifest(), tmp_path)
    with pytest.raises(CliprpnError, match=f"{HEIGHT} x {WIDTH} image 2"):
        write_tables(wide, manifest(width=HEIGHT, height=WIDTH), tmp_path)


def test_a_box_past_the_edge_by_rounding_is_clipped_and_its_source_is_kept(tmp_path: Path) -> None:
    write_tables(annotations({1: (100.0, 50.0, 20.5, 40.75)}), manifest(), tmp_path)
    first = rows_of(tmp_path, "sentences")[0]
    assert first["gt_box_xyxy"] == [100, 50, WIDTH, HEIGHT]
    assert first["source_box"] == [100, 50, 20.5, 40.75]


@pytest.mark.parametrize(
    ("box_format", "box"), [("xyxy", (30.0, 9.0, 90.0, 36.0)), ("cxcywh_norm", (0.5, 0.25, 0.5, 0.3))]
)
def test_boxes_of_other_formats_are_converted_to_pixels(
    tmp_path: Path, box_format: BoxFormat, box: Box
) -> None:
    of_all = dict.fromkeys(range(6), box)
    write_tables(annotations(of_all, box_format), manifest(), tmp_path)
    first = rows_of(tmp_path, "sentences")[0]
    assert first["gt_box_xyxy"] == pytest.approx([30, 9, 90, 36]) and first["source_box"] == list(box)
    assert rows_of(tmp_path, "objects")[0]["box_xyxy"] == pytest.approx([30, 9, 90, 36])


def test_a_dataset_without_images_uses_the_annotated_sizes(tmp_path: Path) -> None:
    write_tables(annotations(), None, tmp_path)
    first = rows_of(tmp_path, "images")[0]
    assert (first["width"], first["height"], first["pixel_row"]) == (WIDTH, HEIGHT, None)


def test_boxes_in_an_image_of_unknown_size_are_not_clipped(tmp_path: Path) -> None:
    write_tables(annotations({5: (5000.0, 0.0, 5.0, 5.0)}, sizes=False), None, tmp_path)
    assert rows_of(tmp_path, "images")[0]["width"] is None
    assert rows_of(tmp_path, "sentences")[5]["gt_box_xyxy"] == [5000, 0, 5005, 5]
    with pytest.raises(CliprpnError, match="not empty"):
        write_tables(annotations({5: (10.0, 0.0, 0.0, 5.0)}, sizes=False), None, tmp_path)


def test_normalized_coordinates_need_the_image_size(tmp_path: Path) -> None:
    normalized = annotations(dict.fromkeys(range(6), (0.5, 0.25, 0.5, 0.3)), "cxcywh_norm", sizes=False)
    with pytest.raises(CliprpnError, match="cxcywh_norm") as caught:
        write_tables(normalized, None, tmp_path)
    assert caught.value.code == "data_invalid"
    write_tables(normalized, manifest(), tmp_path)  # Here the size is known.
    assert rows_of(tmp_path, "sentences")[0]["gt_box_xyxy"] == pytest.approx([30, 9, 90, 36])


def test_objects_without_a_category_have_none_in_the_tables(tmp_path: Path) -> None:
    unnamed = annotations()
    for ann_id in (2, 3):
        unnamed.objects[ann_id] = ObjectRecord(ann_id, 1, None, (10.0, 20.0, 30.0, 40.0))
    write_tables(unnamed, manifest(), tmp_path)
    categories = [(row["category"], row["num_same_category"]) for row in rows_of(tmp_path, "sentences")]
    assert categories == [("dog", 2)] * 2 + [("", 0)] * 2 + [("dog", 2)] * 2
    assert rows_of(tmp_path, "objects")[3]["category"] is None


def test_pixels_of_other_images_are_an_internal_error(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError) as caught:
        write_tables(annotations(), manifest(names="other-{}.jpg"), tmp_path)
    assert caught.value.code == "internal"


def test_bridge_methods_return_the_needed_images_and_what_was_dropped(tmp_path: Path) -> None:
    """Both calls, with images prepared in between, one of which is missing."""
    root = small_dataset(tmp_path / "data", 6)
    source, context = source_of(root), CallContext(lambda event: None, lambda: False, torch.device("cpu"))
    wanted = tmp_path / "wanted.json"
    params = ReadAnnotationsParams(source=source, out_file=str(wanted))
    read: Any = METHODS["read_annotations"].run(params, context)
    images = json.loads(wanted.read_text())["pictures"]
    assert read.num_pictures == len(images) == 6
    name = "COCO_train2014_000000000002.png"
    where = "instances.json: image 2"
    sizes = {"width": WIDTH, "height": HEIGHT}
    assert images[2] == {"image_id": 2, "file_name": name, **sizes, "where": where, "problem": None}
    names = [image["file_name"] for image in images]
    pixels = write_pixels([root / "images" / name for name in names], names, tmp_path / "pixels", 64)
    pixels.shards[0].pictures[2].problem = "no such file"
    manifest_file = tmp_path / "pixels" / "manifest.json"
    manifest_file.write_text(pixels.model_dump_json())
    index_params = IndexDatasetParams(source=source, pixels_manifest=str(manifest_file), folder=str(tmp_path))
    indexed: Any = METHODS["index_dataset"].run(index_params, context)
    assert [row.split for row in read.splits] == ["train", "val", "test"]
    assert [(row.split, row.num_images, row.num_sentences) for row in indexed.splits] == [
        ("train", 4, 8),
        ("test", 1, 2),
    ]
    assert indexed.dropped.model_dump() == {"num_images": 1, "num_refs": 1, "num_sentences": 2}
    assert "refs file" in indexed.split_rule
