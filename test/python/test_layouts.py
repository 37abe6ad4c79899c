"""Layouts of published datasets and tools: ODVG, Visual Genome, Pascal VOC, gRefCOCO, Flickr30k Entities, D-cube."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from layout_data import (
    CUP,
    EXPRESSIONS,
    LAYOUTS,
    LEFT,
    RIGHT,
    SIZE,
    gref,
    voc_object,
    voc_xml,
    write_flickr30k,
    write_grefcoco,
    write_json,
    write_odvg,
    write_voc,
    xywh,
)
from user_data import make_coco, make_mdetr, read, rows_source, write_jsonl

from cliprpn.data.annotations import Annotations
from cliprpn.data.export import export_rows
from cliprpn.data.index import open_tables
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables
from cliprpn.errors import CliprpnError


def expressions(annotations: Annotations) -> list[tuple[str, tuple[float, ...], str]]:
    """Image, corners of the box, and text of each expression."""
    names = {image.image_id: Path(image.file_name).name for image in annotations.images}
    found = []
    for row in annotations.sentences:
        x, y, c, d = annotations.objects[row.ann_id].box
        box = (x, y, c, d) if annotations.box_format == "xyxy" else (x, y, x + c, y + d)
        found.append((names[row.image_id], box, row.sentence))
    return found


@pytest.mark.parametrize("format", LAYOUTS)
def test_a_layout_gives_its_expressions_and_boxes_and_is_the_same_after_an_export(
    tmp_path: Path, format: str
) -> None:
    write, box_format = LAYOUTS[format]
    source = rows_source((write(tmp_path), "val"), format=format, box_format=box_format)
    annotations = read_source(source).annotations
    renamed = {"1.jpg": "a.jpg", "2.jpg": "b.jpg"}
    found = [(renamed.get(name, name), box, text) for name, box, text in expressions(annotations)]
    assert found == EXPRESSIONS
    assert {(image.width, image.height) for image in annotations.images} == {(640, 480)}
    assert {row.where.split(":")[0].split("/")[-1] for row in annotations.sentences} <= {
        "odvg.jsonl",
        "region_descriptions.json",
        *("a.xml", "b.xml", "a.txt", "b.txt"),
        "grefs(unc).json",
        "d3_full_annotations.json",
    }
    write_tables(annotations, None, tmp_path / "set")
    index = open_tables(tmp_path / "set", "layout", None, annotations.box_format)
    export_rows(index, "jsonl", "xyxy", tmp_path / "out.jsonl")
    again = read_source(rows_source(tmp_path / "out.jsonl", box_format="xyxy")).annotations
    assert expressions(again) == expressions(annotations)


@pytest.mark.parametrize(
    ("format", "num_several", "num_none"), [("grefcoco", 1, 1), ("flickr30k", 1, 1), ("dcube", 1, 0)]
)
def test_expressions_with_several_objects_or_none_are_counted(
    tmp_path: Path, format: str, num_several: int, num_none: int
) -> None:
    write, box_format = LAYOUTS[format]
    source = rows_source(write(tmp_path), format=format, box_format=box_format)
    notes = read(source)[0].notes
    assert [note.split()[0] for note in notes if "several" in note] == [str(num_several)] * num_several
    assert [note.split()[0] for note in notes if "no object" in note] == [str(num_none)] * num_none
    first = source.model_copy(update={"first_box": True})
    annotations, problems = read(first)
    assert problems == [] and len(annotations.sentences) == len(EXPRESSIONS) + num_several
    assert ("a.jpg", LEFT) in [(name, box) for name, box, text in expressions(annotations)]
    assert (
        len(annotations.objects) == 3
    )  # The objects of an expression that is left out stay objects of the image.


# ODVG


def odvg_line(caption: str, *regions: tuple[Any, Any]) -> dict[str, Any]:
    grounding = {"caption": caption, "regions": [{"bbox": box, "phrase": text} for box, text in regions]}
    return {"filename": "a.jpg", **SIZE, "grounding": grounding}


def test_odvg_regions_of_one_phrase_are_one_expression(tmp_path: Path) -> None:
    left, right, cup = map(list, (LEFT, RIGHT, CUP))
    lines = [
        odvg_line("dogs and a cup", (left, "dogs"), (right, "dogs"), ([cup], "a cup")),
        odvg_line("dogs by a cup", ([left, right], "dogs"), (cup, ["a", "cup"])),
    ]
    annotations, problems = read(
        rows_source(write_jsonl(tmp_path / "a.jsonl", lines), format="odvg", box_format="xyxy")
    )
    assert problems == []
    assert [(box, text) for _, box, text in expressions(annotations)] == [(CUP, "a cup")] * 2
    assert len(annotations.objects) == 3
    assert any(note.startswith("2 expressions refer to several") for note in annotations.notes)


def test_odvg_has_objects_without_an_expression_and_lists_of_expressions(tmp_path: Path) -> None:
    line = {
        "filename": "a.jpg",
        **SIZE,
        "referring": [{"bbox": list(LEFT), "phrase": ["the left dog", "a dog"]}],
        "detection": {"instances": [{"bbox": list(CUP), "label": 4, "category": "cup"}]},
    }
    annotations, problems = read(
        rows_source(write_jsonl(tmp_path / "a.jsonl", [line]), format="odvg", box_format="xyxy")
    )
    assert problems == [] and [row.sentence for row in annotations.sentences] == ["the left dog", "a dog"]
    assert {row.category for row in annotations.objects.values()} == {None, "cup"}


def test_odvg_captions_with_a_shorter_phrase_need_a_choice(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [odvg_line("the dog on the left", (list(LEFT), "dog"))] * 3)
    _, problems = read(rows_source(file, format="odvg", box_format="xyxy"))
    assert len(problems) == 1 and problems[0].startswith("a.jsonl:1: ")
    assert "--columns sentence=caption" in problems[0]
    for choice, text in (("caption", "the dog on the left"), ("phrase", "dog")):
        annotations, problems = read(rows_source(file, format="odvg", box_format="xyxy", sentence=choice))
        assert problems == [] and {row.sentence for row in annotations.sentences} == {text}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"filename": "a.jpg"}, "a.jsonl:2: expected grounding or referring or detection"),
        ({"filename": "a.jpg", "grounding": []}, "a.jsonl:2: grounding: expected an object"),
        (
            {"filename": "a.jpg", "grounding": {"caption": "x"}},
            "a.jsonl:2: grounding.regions: expected a list",
        ),
        (odvg_line("x", ([1, 2, 3], "x")), "a.jsonl:2: box: expected four numbers"),
        (odvg_line("x", (list(LEFT), None)), "a.jsonl:2: sentence: expected a sentence"),
        (
            {"filename": "a.jpg", "detection": {"instances": [3]}},
            "a.jsonl:2: detection.instances[0]: expected",
        ),
    ],
)
def test_a_problem_in_odvg_is_reported_with_its_line(tmp_path: Path, line: Any, expected: str) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [odvg_line("a dog", (list(LEFT), "a dog")), line])
    _, problems = read(rows_source(file, format="odvg", box_format="xyxy"))
    assert len(problems) == 1 and problems[0].startswith(expected), problems


# Visual Genome


def test_visual_genome_needs_no_image_data(tmp_path: Path) -> None:
    file = LAYOUTS["visual_genome"][0](tmp_path)
    source = rows_source(file, format="visual_genome")
    assert [image.file_name for image in read(source)[0].images] == ["VG_100K_2/1.jpg", "VG_100K_2/2.jpg"]
    (tmp_path / "image_data.json").unlink()
    annotations, problems = read(source)
    assert problems == [] and [(image.file_name, image.width) for image in annotations.images] == [
        ("1.jpg", None),
        ("2.jpg", None),
    ]
    assert [row.sent_id for row in annotations.sentences] == [40, 41, 42]


# Pascal VOC


@pytest.mark.parametrize("tag", ["sentence", "expression", "caption", "description", "phrase"])
def test_voc_expressions_have_a_usual_name(tmp_path: Path, tag: str) -> None:
    annotations, problems = read(rows_source(write_voc(tmp_path, tag), format="voc", box_format="xyxy"))
    assert problems == [] and expressions(annotations) == EXPRESSIONS
    assert [row.where for row in annotations.sentences][:2] == ["Annotations/a.xml:4", "Annotations/a.xml:5"]


def test_voc_names_are_expressions_only_when_asked(tmp_path: Path) -> None:
    root = write_voc(tmp_path, "comment")
    with pytest.raises(CliprpnError, match="--columns sentence=name"):
        read(rows_source(root, format="voc", box_format="xyxy"))
    annotations, _ = read(rows_source(root, format="voc", box_format="xyxy", sentence="name"))
    assert [row.sentence for row in annotations.sentences] == ["dog", "right", "cup"]
    annotations, _ = read(rows_source(root, format="voc", box_format="xyxy", sentence="comment"))
    assert expressions(annotations) == EXPRESSIONS


def test_voc_splits_come_from_its_lists(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    (root / "ImageSets" / "Main").mkdir(parents=True)
    (root / "ImageSets" / "Main" / "train.txt").write_text("a\n")
    (root / "ImageSets" / "Main" / "val.txt").write_text("b 1\n")
    annotations, _ = read(rows_source(root, format="voc", box_format="xyxy"))
    assert [row.split for row in annotations.sentences] == ["train", "train", "val"]


def test_voc_files_may_lie_in_the_folder_itself(tmp_path: Path) -> None:
    root = write_voc(tmp_path) / "Annotations"
    (root / "a.xml").write_text((root / "a.xml").read_text().replace("<filename>a.jpg</filename>", ""))
    annotations, problems = read(rows_source(root, format="voc", box_format="xyxy"))
    assert problems == [] and expressions(annotations) == EXPRESSIONS


ENTITIES = '<!DOCTYPE a [<!ENTITY x "' + "y" * 100 + '">]>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<annotation>\n<object>", "c.xml:2: expected XML"),
        ("", "c.xml:1: expected XML"),
        (f"{ENTITIES}<annotation>&x;</annotation>", "c.xml:1: expected plain XML"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "c.xml:1: expected plain XML"),
        ("<a>" * 60 + "</a>" * 60, "c.xml:1: expected plain XML, found elements nested too deep"),
        ('<?xml version="1.0" encoding="x-unknown"?><annotation/>', "c.xml:1: expected XML"),
        (voc_xml("a.jpg", [voc_object((1, 2, 3, float("nan")), ("caption", "x"))]), "c.xml:4: box: expected"),
        (voc_xml("a.jpg", ["<object><caption>x</caption></object>"]), "c.xml:4: box: expected four numbers"),
        (voc_xml("a.jpg", [voc_object((9, 9, 3, 3), ("caption", "x"))]), "c.xml:4: box: expected a positive"),
    ],
)
def test_a_problem_in_xml_is_reported_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    root = write_voc(tmp_path)
    (root / "Annotations" / "c.xml").write_text(text)
    _, problems = read(rows_source(root, format="voc", box_format="xyxy"))
    assert len(problems) == 1 and expected in problems[0], problems


# gRefCOCO


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ann_id": [99]}, "expected an ann_id of image 1 in instances.json, found 99"),
        ({"ann_id": [13]}, "expected an ann_id of image 1 in instances.json, found 13"),
        ({"ann_id": "11"}, "expected an ann_id of image 1 in instances.json, found '11'"),
        ({"image_id": 7}, "expected an image_id of instances.json, found 7"),
        ({"sentences": None}, "expected a list `sentences`, found None"),
        ({"sentences": [3]}, "sentences[0]: expected an object, found 3"),
    ],
)
def test_a_problem_in_grefcoco_is_reported_with_its_place(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    refs = [gref(0, [11], "the left dog"), {**gref(1, [12], "a dog"), **change}]
    _, problems = read(rows_source(write_grefcoco(tmp_path, refs), format="grefcoco"))
    assert problems == [f"grefs(unc).json: [1]: {expected}"]


def test_grefcoco_needs_the_boxes_beside_it(tmp_path: Path) -> None:
    file = write_grefcoco(tmp_path)
    (tmp_path / "instances.json").rename(tmp_path / "coco.json")
    source = rows_source(file, format="grefcoco")
    with pytest.raises(CliprpnError, match=r"instances_train2014\.json, found no such file.*--instances"):
        read(source)
    source = source.model_copy(update={"instances": str(tmp_path / "coco.json")})
    assert expressions(read(source)[0]) == EXPRESSIONS


def test_one_object_named_twice_is_one_target(tmp_path: Path) -> None:
    file = write_grefcoco(tmp_path, [gref(0, [11, 11], "the left dog")])
    annotations, problems = read(rows_source(file, format="grefcoco"))
    assert problems == [] and expressions(annotations) == EXPRESSIONS[:1]


# Flickr30k Entities


def test_flickr30k_splits_come_from_its_lists_and_other_images_are_left_out(tmp_path: Path) -> None:
    root = write_flickr30k(tmp_path)
    (root / "test.txt").write_text("b\n")
    annotations, problems = read(rows_source(root, format="flickr30k", box_format="xyxy"))
    assert problems == [] and expressions(annotations) == EXPRESSIONS[2:]
    assert [(row.split, row.where) for row in annotations.sentences] == [("test", "Sentences/b.txt:1")]
    assert [row.category for row in annotations.objects.values()] == ["other"]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("Sentences/b.txt", "[/EN#9/other a cup\n", "Sentences/b.txt:1: expected phrases such as"),
        ("Annotations/b.xml", "<annotation", "b.xml:1: expected XML"),
        ("Annotations/b.xml", None, "b.xml: expected the boxes of this image, found no file"),
        (
            "Annotations/b.xml",
            voc_xml("b.jpg", [voc_object(CUP, ("name", "x"))]),
            "b.xml:4: expected the number",
        ),
    ],
)
def test_a_problem_in_flickr30k_is_reported_with_its_line(
    tmp_path: Path, file: str, text: str | None, expected: str
) -> None:
    root = write_flickr30k(tmp_path)
    if text is None:
        (root / file).unlink()
    else:
        (root / file).write_text(text)
    _, problems = read(rows_source(root, format="flickr30k", box_format="xyxy"))
    assert len(problems) == 1 and expected in problems[0], problems


# COCO exports


def test_cvat_attributes_have_the_sentences(tmp_path: Path) -> None:
    coco = make_coco()
    for annotation in coco["annotations"]:
        annotation.pop("sentence", None)
        annotation.pop("sentences", None)
        annotation["attributes"] = {"occluded": False, "expression": f"object {annotation['id']}"}
    coco["annotations"][2]["attributes"]["expression"] = ""
    file = write_json(tmp_path / "instances_default.json", coco)
    annotations, problems = read(rows_source(file, format="coco"))
    assert problems == [] and [row.sentence for row in annotations.sentences] == [
        "object 1",
        "object 2",
        "object 4",
    ]
    for annotation in coco["annotations"]:
        annotation["attributes"] = {"referring text": f"thing {annotation['id']}"}
    write_json(file, coco)
    for name in ("referring text", "attributes.referring text"):
        annotations, _ = read(rows_source(file, format="coco", sentence=name))
        assert annotations.sentences[0].sentence == "thing 1"


def test_coco_without_sentences_names_the_categories_as_a_way_on(tmp_path: Path) -> None:
    coco = make_coco()
    for annotation in coco["annotations"]:
        annotation.pop("sentence", None)
        annotation.pop("sentences", None)
    file = write_json(tmp_path / "result.json", coco)
    with pytest.raises(CliprpnError, match="--columns sentence=category"):
        read(rows_source(file, format="coco"))
    annotations, problems = read(rows_source(file, format="coco", sentence="category"))
    assert problems == [] and [row.sentence for row in annotations.sentences] == ["person"]
    assert any(note.startswith("1 expression refers to several objects") for note in annotations.notes)


# MDETR


def make_multi_target() -> dict[str, Any]:
    """The second caption has two objects, the third none."""
    mdetr = make_mdetr()
    other = {**mdetr["annotations"][1], "id": 99, "original_id": 5, "bbox": [200, 20, 30, 40]}
    empty = {**mdetr["annotations"][2], "bbox": [0, 0, 0, 0], "original_id": -1, "empty": True}
    mdetr["annotations"][2:] = [other, empty]
    return mdetr


def test_mdetr_captions_have_several_objects_or_none(tmp_path: Path) -> None:
    file = write_json(tmp_path / "finetune_grefcoco_val.json", make_multi_target())
    source = rows_source(file, format="mdetr")
    annotations, problems = read(source)
    assert problems == [] and [row.sentence for row in annotations.sentences] == ["the nearer cup"]
    assert [note.split()[0] for note in annotations.notes] == ["1", "1"]
    assert sorted(annotations.objects) == [5, 1719310]
    annotations, _ = read(source.model_copy(update={"first_box": True}))
    assert [(row.sentence, row.ann_id, row.sent_id) for row in annotations.sentences] == [
        ("the nearer cup", 1719310, 40),
        ("a red cup", 1719310, 41),
    ]


def test_mdetr_phrases_are_chosen(tmp_path: Path) -> None:
    mdetr = make_multi_target()
    for annotation, span in zip(mdetr["annotations"], [[0, 10], [2, 5], [6, 9]], strict=False):
        annotation["tokens_positive"] = [span]
    mdetr["images"] = mdetr["images"][1:2]
    mdetr["annotations"] = mdetr["annotations"][1:3]
    file = write_json(tmp_path / "final_flickr_separateGT_val.json", mdetr)
    _, problems = read(rows_source(file, format="mdetr"))
    assert len(problems) == 1 and "--columns sentence=phrase" in problems[0]
    annotations, problems = read(rows_source(file, format="mdetr", sentence="phrase"))
    assert problems == [] and [(row.sentence, row.ann_id) for row in annotations.sentences] == [
        ("red", 1719310),
        ("cup", 5),
    ]


def test_sizes_may_be_text(tmp_path: Path) -> None:
    mdetr = make_mdetr()
    for image in mdetr["images"]:
        image.update(width=str(image["width"]), height=str(image["height"]))
    annotations, problems = read(rows_source(write_json(tmp_path / "m.json", mdetr), format="mdetr"))
    assert problems == [] and annotations.images[0].width == 640


def test_invalid_rows_of_a_layout_are_left_out_when_asked(tmp_path: Path) -> None:
    file = write_odvg(tmp_path)
    file.write_text(file.read_text() + json.dumps(odvg_line("x", ([1, 2], "x"))) + "\n[]\n{}\n")
    source = rows_source(file, format="odvg", box_format="xyxy").model_copy(update={"allow_invalid": True})
    assert expressions(read_source(source).annotations) == EXPRESSIONS
    assert xywh(CUP) == [5, 6, 50, 60]
