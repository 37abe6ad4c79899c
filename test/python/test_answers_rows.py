"""Rows of a file of answers are matched with the right expressions, or counted."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answer_data import COLUMNS, Record, convert, coordinates, make_expressions, predictions
from made_answers import prepare_rows
from user_data import write_jsonl

from cliprpn.contract.generated import AnswersReport
from cliprpn.errors import CliprpnError

ROWS = make_expressions()
TEST_ROWS = make_expressions(20, "test", 60)
PIXELS = coordinates("xyxy")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_rows(tmp_path_factory.mktemp("made") / "set", [*ROWS, *TEST_ROWS], "made")


def answers(*names: str, rows: list[Record] = ROWS) -> list[Record]:
    """Right answers, with the fields of the dataset's rows by which they are to be matched."""
    keys = {"sentence": "expression"}
    return [{**{keys.get(name, name): row[name] for name in names}, "bbox": row["box"]} for row in rows]


def read(tmp_path: Path, root: Path, rows: list[Record], **options: Any) -> AnswersReport:
    return convert(write_jsonl(tmp_path / "a.jsonl", rows), root, PIXELS, **options)[0]


def all_right(tmp_path: Path) -> bool:
    return bool((predictions(tmp_path / "a.jsonl")["iou"] == 1).all())


def counts(report: AnswersReport) -> tuple[int, int, int]:
    return report.num_by_sent_id, report.num_by_text, report.num_by_normalized_text


def test_rows_are_matched_by_id_else_by_text(root: Path, tmp_path: Path) -> None:
    assert counts(read(tmp_path, root, answers("sent_id"))) == (60, 0, 0)
    assert all_right(tmp_path)
    assert counts(read(tmp_path, root, answers("image", "sentence"))) == (0, 60, 0)
    assert all_right(tmp_path)
    assert counts(read(tmp_path, root, answers("sentence"))) == (0, 0, 60)
    assert all_right(tmp_path)


def test_text_is_matched_without_case_spaces_and_punctuation(root: Path, tmp_path: Path) -> None:
    rows = answers("image", "sentence")
    for row in rows[:20]:
        row["expression"] = (
            row["expression"].upper().replace(" ", "  ").replace("!", "").replace("D", "\uff24")
        )
    report = read(tmp_path, root, rows)
    assert counts(report) == (0, 40, 20)
    assert any("20 expressions" in note for note in report.notes)
    assert all_right(tmp_path)


@pytest.mark.parametrize(
    "written",
    [
        lambda name: name,
        lambda name: name.rpartition("/")[2],
        lambda name: name.rpartition("/")[2].removesuffix(".jpg"),
        lambda name: f"/data/{name}",
        lambda name: f"D:\\data\\{name}".replace("/", "\\"),
    ],
)
def test_images_are_named_in_many_ways(root: Path, tmp_path: Path, written: Any) -> None:
    rows = [{**row, "image": written(row["image"])} for row in answers("image", "sentence")]
    assert counts(read(tmp_path, root, rows)) == (0, 60, 0)
    assert all_right(tmp_path)


def test_numbers_of_coco_images(tmp_path: Path) -> None:
    rows = [{**row, "image": f"COCO_train2014_{500 + i // 2:012d}.jpg"} for i, row in enumerate(ROWS)]
    root = prepare_rows(tmp_path / "set", rows, "coco")
    for image in (
        500,
        "500",
        "000000000500.jpg",
        "COCO_train2014_000000000500_12.jpg",
        "train2014/000000000500",
    ):
        named = answers("image", "sentence", rows=rows)
        named[0]["image"] = named[1]["image"] = image
        assert read(tmp_path, root, named, dataset_id="coco").num_answered == 60, image
        assert all_right(tmp_path)


def test_a_number_that_is_an_id_and_a_name_is_what_the_expressions_say(tmp_path: Path) -> None:
    """The dataset numbers its images from 1, and their files are numbered from 2."""
    rows = [{**row, "image": f"{i // 2 + 2}.jpg", "sentence": f"dog {i}"} for i, row in enumerate(ROWS)]
    root = prepare_rows(tmp_path / "set", rows, "numbers")
    for shift in (2, 1):
        named = [{**row, "image": i // 2 + shift} for i, row in enumerate(answers("sentence", rows=rows))]
        assert counts(read(tmp_path, root, named, dataset_id="numbers")) == (0, 60, 0)
        assert all_right(tmp_path)


def test_images_of_the_same_name_in_two_folders(tmp_path: Path) -> None:
    rows = [
        {**row, "image": f"{'ab'[i % 2]}/photo.jpg", "sentence": "the dog"} for i, row in enumerate(ROWS[:2])
    ]
    for row in rows:
        row |= {"width": 640, "height": 480}
    rows[0]["box"], rows[1]["box"] = [10, 10, 50, 50], [100, 100, 200, 200]
    root = prepare_rows(tmp_path / "set", rows, "folders")
    read(tmp_path, root, answers("image", "sentence", rows=rows), dataset_id="folders")
    assert all_right(tmp_path)
    bare = [{**row, "image": "photo.jpg"} for row in answers("sentence", rows=rows)]
    with pytest.raises(CliprpnError, match="found answers to 0"):
        read(tmp_path, root, bare, dataset_id="folders")


def test_missing_duplicate_unparsed_and_strange_rows_are_counted_with_their_places(
    root: Path, tmp_path: Path
) -> None:
    rows: list[Record] = answers("sent_id")[:50]
    rows[3] = {"sent_id": rows[3]["sent_id"], "bbox": "I see no dog"}
    rows += [{**rows[0], "bbox": [1, 1, 5, 5]}, {"sent_id": 77, "bbox": [10, 10, 300, 200]}]
    report = read(tmp_path, root, rows)
    assert (report.num_rows, report.num_expressions, report.num_answered) == (52, 60, 49)
    assert (report.num_missing, report.num_unparsed) == (10, 1)
    assert (report.num_duplicates, report.num_strangers) == (1, 1)
    places = {example.kind: example.where for example in report.examples}
    assert (places["unparsed"], places["duplicate"], places["stranger"]) == (
        "a.jsonl:4",
        "a.jsonl:51",
        "a.jsonl:52",
    )
    columns = predictions(tmp_path / "a.jsonl")
    assert columns["iou"].sum() == 49  # The first answer counts, and what is missing is a miss.
    assert columns["pred_box_xyxy"][3].tolist() == [0, 0, 0, 0]


def test_a_file_for_several_splits(root: Path, tmp_path: Path) -> None:
    rows = [
        *answers("sent_id"),
        *answers("sent_id", rows=TEST_ROWS),
        {"sent_id": 7, "bbox": [1, 1, 300, 200]},
    ]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    reports = convert(file, root, PIXELS, splits=("val", "test"))
    assert [(report.num_answered, report.num_strangers) for report in reports] == [(60, 1), (20, 1)]
    assert predictions(file, "test")["iou"].tolist() == [1] * 20


def test_rows_that_name_another_split_are_strangers(root: Path, tmp_path: Path) -> None:
    rows = [{**row, "split": "validation"} for row in answers("sent_id")]
    assert read(tmp_path, root, rows).num_answered == 60
    for row in rows[:10]:
        row["split"] = "train"
    report = read(tmp_path, root, rows)
    assert (report.num_answered, report.num_strangers) == (50, 10)
    with pytest.raises(CliprpnError, match="60 rows name another split"):
        read(tmp_path, root, [{**row, "split": "test"} for row in rows])


def test_ids_of_another_numbering_are_refused_if_the_texts_differ(root: Path, tmp_path: Path) -> None:
    rows = answers("sent_id", "sentence", "image")
    for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
        row["sent_id"] = other["sent_id"]
    ids = [row["sent_id"] for row in rows]
    with pytest.raises(CliprpnError, match=r"a\.jsonl:1: .*sent_id .*60 of 60 rows differ") as refused:
        read(tmp_path, root, rows)
    assert refused.value.code == "data_invalid"
    # As the message says.
    report = read(tmp_path, root, rows, columns={"sent_id": "-"})
    assert counts(report) == (0, 60, 0)
    assert all_right(tmp_path)
    # Without a text, the images show it.
    only_images = [
        {"sent_id": i, "image": row["image"], "bbox": row["bbox"]} for i, row in zip(ids, rows, strict=True)
    ]
    only_images = [
        {**row, "image": f"photos/val-{(k + 4) // 2 % 30}.jpg"} for k, row in enumerate(only_images)
    ]
    with pytest.raises(CliprpnError, match="rows differ"):
        read(tmp_path, root, only_images)
    with pytest.raises(CliprpnError, match="60 of 60 rows differ"):
        read(tmp_path, root, [{**row, "image": f"elsewhere-{k}.jpg"} for k, row in enumerate(only_images)])


def test_a_few_ids_with_other_texts_are_a_warning(root: Path, tmp_path: Path) -> None:
    rows = answers("sent_id", "sentence")
    for row in rows[:5]:
        row["expression"] = "another cat"
    assert any("5 rows" in warning for warning in read(tmp_path, root, rows).warnings)


def test_ids_that_are_none_of_the_dataset_give_way_to_the_text(root: Path, tmp_path: Path) -> None:
    for ids in (lambda k: f"question-{k}", lambda k: 900_000 + k):
        rows = [{**row, "question_id": ids(k)} for k, row in enumerate(answers("image", "sentence"))]
        report = read(tmp_path, root, rows)
        assert counts(report) == (0, 60, 0)
        assert any("ids of the file" in note for note in report.notes)


def test_the_expression_inside_a_prompt(root: Path, tmp_path: Path) -> None:
    rows = [
        {**row, "expression": f"Please give the box of <{row['expression']}> as [x1, y1, x2, y2]."}
        for row in answers("image", "sentence")
    ]
    assert counts(read(tmp_path, root, rows)) == (0, 0, 60)
    assert all_right(tmp_path)


def test_expressions_of_another_dataset_that_contain_those_of_this_one_do_not_match(tmp_path: Path) -> None:
    words = ("red", "old", "tall", "small", "brown", "wet")
    rows = [{**row, "sentence": ("dog", "man")[i % 2]} for i, row in enumerate(ROWS)]
    root = prepare_rows(tmp_path / "set", rows, "short")
    others = [
        {**row, "expression": f"the {words[i % 6]} {row['expression']} next to the {words[i % 5]} chair {i}"}
        for i, row in enumerate(answers("image", "sentence", rows=rows))
    ]
    with pytest.raises(CliprpnError, match="found answers to 0"):
        read(tmp_path, root, others, dataset_id="short")


@pytest.fixture(scope="module")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two objects of each image have the same expression."""
    rows = [{**row, "sentence": "the dog"} for row in ROWS]
    return prepare_rows(tmp_path_factory.mktemp("shared") / "set", rows, "shared")


def test_one_text_of_two_objects_is_told_apart_by_id_or_ground_truth(
    shared_root: Path, tmp_path: Path
) -> None:
    rows = answers("sent_id", "image")
    assert read(tmp_path, shared_root, rows, dataset_id="shared").notes == []
    assert all_right(tmp_path)
    with_truth = [
        {**row, "expression": "the dog", "gt_bbox": row["bbox"]} for row in reversed(answers("image"))
    ]
    report = read(tmp_path, shared_root, with_truth, dataset_id="shared")
    assert (report.num_answered, report.num_duplicates, report.num_other_ground_truth) == (60, 0, 0)
    assert all_right(tmp_path)


def test_one_text_of_two_objects_gets_the_first_answer_with_a_note(shared_root: Path, tmp_path: Path) -> None:
    rows = [{**row, "expression": "the dog"} for row in answers("image")]
    report = read(tmp_path, shared_root, rows, dataset_id="shared")
    assert (report.num_answered, report.num_duplicates) == (60, 0)
    assert any("60 rows answer several expressions" in note for note in report.notes)
    boxes = predictions(tmp_path / "a.jsonl")["pred_box_xyxy"]
    np.testing.assert_array_equal(boxes[0::2], boxes[1::2])
    np.testing.assert_array_equal(boxes[0::2], [row["box"] for row in ROWS[0::2]])
    more = read(tmp_path, shared_root, [*rows, rows[0]], dataset_id="shared")
    assert more.num_duplicates == 1


def test_a_file_of_few_or_no_answers_is_refused_with_examples(root: Path, tmp_path: Path) -> None:
    with pytest.raises(
        CliprpnError, match=r"60 expressions of made:val, found answers to 20 \(20 by sent_id\)"
    ) as few:
        read(tmp_path, root, answers("sent_id")[:20])
    assert (few.value.code, "--only" in few.value.message) == ("data_invalid", True)
    with pytest.raises(
        CliprpnError, match=r"found answers to 0; 60 of 60 rows match none\. a\.jsonl:1 has .*cat"
    ) as none:
        read(tmp_path, root, [{**row, "expression": "the cat"} for row in answers("image")])
    assert "number 0" in none.value.message
    assert read(tmp_path, root, answers("sent_id")[:30]).num_missing == 30


def test_rows_without_keys_need_the_ground_truth_of_each(root: Path, tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="found answers to 0"):
        read(tmp_path, root, answers())
    rows = [{**row, "gt_bbox": row["bbox"]} for row in answers()]
    report = read(tmp_path, root, rows)
    assert (report.num_answered, "order" in report.notes[-1]) == (60, True)
    with pytest.raises(CliprpnError, match="in another order"):
        read(tmp_path, root, [*rows[10:], *rows[:10]], force=True)


@pytest.mark.parametrize("key", ["sent_id", "text"])
def test_the_order_of_rows_and_of_fields_changes_nothing(root: Path, tmp_path: Path, key: str) -> None:
    rng = random.Random(3)
    boxes = [[side + rng.randrange(9) for side in row["box"]] for row in ROWS]
    rows = []
    for row, box in zip(ROWS, boxes, strict=True):
        names = {"sent_id": row["sent_id"]} if key == "sent_id" else {}
        rows.append(
            {
                **names,
                "image": row["image"],
                "expression": row["sentence"],
                "bbox": box,
                "score": rng.random(),
            }
        )
    results = []
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = write_jsonl(folder / "a.jsonl", rows)
        report = convert(file, root, coordinates("xyxy"))[0]
        columns = predictions(file, names=(*COLUMNS, "objectness"))
        results.append(({**columns}, report.model_dump(exclude={"file", "sha256"})))
        rows = [dict(rng.sample(list(row.items()), len(row))) for row in rng.sample(rows, len(rows))]
    for columns, report_fields in results[1:]:
        assert report_fields == results[0][1]
        for name, values in columns.items():
            np.testing.assert_array_equal(values, results[0][0][name], name)
