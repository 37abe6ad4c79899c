"""Parquet with and without images inside, and that what is read can be exported and read back."""

from __future__ import annotations

import hashlib
import io
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from user_data import make_rows, read, rows_source, write_csv, write_jsonl

from cliprpn.contract.generated import RowsSource
from cliprpn.data.export import export_rows
from cliprpn.data.index import open_tables
from cliprpn.data.problems import Problems
from cliprpn.data.rows.read import read_rows
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables
from cliprpn.errors import CliprpnError

ROWS = make_rows(6)


def make_image(number: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (100 + number, 80), (number, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


def write_parquet(path: Path, table: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(table), path, **options)
    return path


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {key: [row[key] for row in rows] for key in rows[0]}


def test_parquet_and_json_lines_give_the_same_records(tmp_path: Path) -> None:
    rows = [
        {**row, "split": "val", "width": 640, "height": 480, "ann_id": i // 2} for i, row in enumerate(ROWS)
    ]
    expected, _ = read(rows_source(write_jsonl(tmp_path / "a.jsonl", rows)))
    for group in (1, 4, 100):
        path = write_parquet(tmp_path / "a.parquet", columns(rows), row_group_size=group)
        annotations, problems = read(rows_source(path, format="parquet"))
        assert problems == [] and annotations == expected


def test_nested_columns_and_structs_of_parquet_are_read(tmp_path: Path) -> None:
    table = {
        "meta": [{"file_name": row["image"], "size": {"w": 640}} for row in ROWS],
        "captions": [[row["sentence"], f"{row['sentence']}!"] for row in ROWS],
        "bbox": [dict(zip(("x", "y", "w", "h"), row["box"], strict=True)) for row in ROWS],
        "unused": [list(range(1000)) for _ in ROWS],
    }
    path = write_parquet(tmp_path / "a.parquet", table)
    annotations, problems = read(rows_source(path, format="parquet", image="meta.file_name"))
    assert problems == [] and len(annotations.sentences) == 12
    assert next(record.box for record in annotations.objects.values()) == (10.5, 20, 30.25, 40)


def test_a_problem_in_parquet_is_reported_by_row(tmp_path: Path) -> None:
    table = columns(ROWS)
    table["sentence"][3] = None
    path = write_parquet(tmp_path / "a.parquet", table)
    assert read(rows_source(path, format="parquet"))[1][0].startswith("a.parquet: row 4: sentence: ")
    path = write_parquet(
        tmp_path / "b.parquet", {"image": ["a.jpg"], "words": ["a"], "box": [[1.0, 2, 3, 4]]}
    )
    (problem,) = read(rows_source(path, format="parquet"))[1]
    assert "expected columns for sentence" in problem and "'image, words, box'" in problem


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1", b"{}"])
def test_a_file_that_is_no_parquet_is_rejected(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(CliprpnError, match="expected Parquet") as caught:
        read(rows_source(tmp_path / "a.parquet", format="parquet"))
    assert caught.value.code == "data_invalid" and "\n" not in caught.value.message


def read_images(path: Path, folder: Path | None) -> list[str]:
    """The names of the images in the order of the rows; the files are in `folder`."""
    problems = Problems(path.parent)
    annotations = read_rows(rows_source(path, format="parquet"), problems, images_folder=folder)
    problems.raise_if_any()
    names = {image.image_id: image.file_name for image in annotations.images}
    return [names[row.image_id] for row in annotations.sentences]


SHAPES: dict[str, Any] = {
    "Hugging Face's": lambda content, path: {"bytes": content, "path": path},
    "bytes": lambda content, path: content,
    "a list": lambda content, path: [{"bytes": content, "path": path}],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_images_inside_become_files(tmp_path: Path, shape: str) -> None:
    contents = [make_image(i // 2) for i in range(6)]
    names = ["a.png", "a.png", "x/../../b.png", "C:\\photos\\b.png", None, None]
    if shape == "bytes":
        names = [None] * 6
    images = [SHAPES[shape](content, name) for content, name in zip(contents, names, strict=True)]
    path = write_parquet(tmp_path / "a.parquet", {**columns(ROWS), "image": images}, row_group_size=2)
    found = read_images(path, tmp_path / "images")
    assert found == read_images(path, None)  # The names are the same without the files.
    files = {file.name: file.read_bytes() for file in (tmp_path / "images").iterdir()}
    assert set(found) == set(files) and [files[name] for name in found] == contents
    by_hash = [f"{hashlib.sha256(content).hexdigest()[:20]}.png" for content in contents]
    assert found == (by_hash if shape == "bytes" else ["a.png"] * 2 + ["b.png"] * 2 + by_hash[4:])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.parquet", "images"]


def test_different_images_of_one_name_stay_apart(tmp_path: Path) -> None:
    images = [
        {"bytes": make_image(i), "path": name}
        for i, name in enumerate(["a.png", "x/a.png", "A.PNG", "a.png"])
    ]
    table = {**columns(ROWS[:4]), "image": images}
    found = read_images(write_parquet(tmp_path / "a.parquet", table), tmp_path / "images")
    assert found[0] == "a.png" and len({name.lower() for name in found}) == 4
    assert [(tmp_path / "images" / name).read_bytes() for name in found] == [make_image(i) for i in range(4)]


@pytest.mark.parametrize(
    "name", ["..", "/", "", "a\0.png", "con\n.png", "x" * 400, "a:b.png", "\ud83d", "...", "a/"]
)
def test_an_unsafe_name_is_replaced_by_a_hash(tmp_path: Path, name: str) -> None:
    from cliprpn.data.rows.embedded_images import EmbeddedImages

    images = EmbeddedImages(tmp_path / "images")
    made = images.add({"bytes": make_image(1), "path": name})
    assert made == f"{hashlib.sha256(make_image(1)).hexdigest()[:20]}.png"
    assert [file.name for file in (tmp_path / "images").iterdir()] == [made]


def test_parquet_that_only_names_images_asks_for_their_folder(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", columns(ROWS))
    with pytest.raises(CliprpnError, match=r"expected images inside, found names such as 'train/p0.jpg'"):
        read_images(path, tmp_path / "images")
    table = {**columns(ROWS), "image": [{"bytes": None, "path": row["image"]} for row in ROWS]}
    assert read_images(write_parquet(tmp_path / "b.parquet", table), None) == [row["image"] for row in ROWS]


def test_a_broken_image_inside_is_no_crash(tmp_path: Path) -> None:
    table = {**columns(ROWS), "image": [{"bytes": b"not an image", "path": None}] * 6}
    (name, *_) = read_images(write_parquet(tmp_path / "a.parquet", table), tmp_path / "images")
    assert name.endswith(".img")  # Decoding says what it is.
    table["image"][2] = {"bytes": b"", "path": None}
    path = write_parquet(tmp_path / "b.parquet", table)
    with pytest.raises(CliprpnError, match=r"b.parquet: row 3: image: expected a file name"):
        read_images(path, None)


def roads(folder: Path) -> dict[str, RowsSource]:
    """The same rows in every shape."""
    rows = [{**row, "split": "val"} for row in ROWS]
    named = [
        {"file_name": row["image"], "caption": row["sentence"], "bbox": row["box"], "split": "dev"}
        for row in rows
    ]
    corners = [(x, y, x + width, y + height) for x, y, width, height in (row["box"] for row in rows)]
    four = [
        {"image": row["image"], "sentence": row["sentence"], "split": "val"}
        | dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
        for row, box in zip(rows, corners, strict=True)
    ]
    objects = [
        {
            **row,
            "box": dict(zip(("left", "top", "width", "height"), row["box"], strict=True)),
            "ann_id": f"a{i // 2}",
        }
        for i, row in enumerate(rows)
    ]
    (folder / "list.json").write_text(json.dumps({"info": {}, "rows": rows}, indent=1))
    german = "image;sentence;box;split\n" + "".join(
        f'{row["image"]};"{row["sentence"]}";"{" ".join(str(side).replace(".", ",") for side in row["box"])}";val\n'
        for row in rows
    )
    (folder / "german.csv").write_bytes(german.encode("utf-16"))
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    lists = [
        {**rows[i], "sentence": [rows[i]["sentence"], rows[i + 1]["sentence"]]}
        for i in range(0, len(rows), 2)
    ]
    return {
        "a list": rows_source(folder / "list.json", format="json"),
        "names": rows_source(write_csv(folder / "named.csv", named), format="csv"),
        "four columns": rows_source(
            write_csv(folder / "four.csv", four), format="csv", box_format="xyxy", box="xmin+ymin+xmax+ymax"
        ),
        "objects": rows_source(write_jsonl(folder / "objects.jsonl", objects)),
        "German": rows_source(folder / "german.csv", format="csv"),
        "Parquet": rows_source(folder / "rows.parquet", format="parquet"),
        "lists": rows_source(write_jsonl(folder / "lists.jsonl", lists)),
    }


@pytest.mark.parametrize("road", ["a list", "names", "four columns", "objects", "German", "Parquet", "lists"])
@pytest.mark.parametrize("format", ["jsonl", "coco"])
def test_what_is_read_can_be_exported_and_read_back(tmp_path: Path, road: str, format: str) -> None:
    expected = facts(read_source(rows_source((write_jsonl(tmp_path / "a.jsonl", ROWS), "val"))).annotations)
    annotations = read_source(roads(tmp_path)[road]).annotations
    write_tables(annotations, None, tmp_path / "set")
    index = open_tables(tmp_path / "set", "id", None, annotations.box_format)
    box_format = "xywh" if format == "coco" else annotations.box_format
    out = tmp_path / f"out.{format}"
    export_rows(index, format, box_format, out)  # type: ignore[arg-type]
    back = read_source(rows_source(out, format=format, box_format=box_format)).annotations
    for found in (annotations, back):
        for (image, sentence, split, box), (*names, expected_box) in zip(facts(found), expected, strict=True):
            assert [image, sentence, split] == names
            assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(box, expected_box, strict=True))


def facts(annotations: Any) -> list[tuple[Any, ...]]:
    """Image, expression, split and box, xywh, of each sentence."""
    names = {image.image_id: image.file_name for image in annotations.images}
    result = []
    for row in annotations.sentences:
        a, b, c, d = annotations.objects[row.ann_id].box
        box = (a, b, c - a, d - b) if annotations.box_format == "xyxy" else (a, b, c, d)
        result.append((names[row.image_id], row.sentence, row.split, box))
    return sorted(result)
