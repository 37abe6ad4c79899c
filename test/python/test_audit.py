"""Audits of toy models whose use of words is known, and of an outside model by questions and answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import make_records, prepared, write_dataset

from cliprpn.audit import questions as questions_module
from cliprpn.audit.figures import Asking, _ignores_order, audit_figures
from cliprpn.audit.outside import audit_answers
from cliprpn.audit.questions import ask, export_changes, question_ids, rows_of
from cliprpn.contract.generated import (
    AnswerReading,
    AuditAnswersParams,
    AuditKind,
    AuditSummary,
    Coordinates,
    ExportChangesParams,
    Interval,
    TrialDataset,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.errors import CliprpnError

NUM_IMAGES = 42
SMALL = [70.0, 50.0, 90.0, 70.0]
READING = AnswerReading(format=None, columns=None, coordinates=None, force_coordinates=False)
# A box for a text and the two objects of its image: the left one, which is large, and the right one.
Toy = Callable[[str, list[float]], list[float]]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    """In each image, an object on the left and one on the right, of the same category, with an expression each."""
    folder = tmp_path_factory.mktemp("audit")
    instances, refs = make_records(NUM_IMAGES + 2)
    others = []
    for i, ref in enumerate(refs):
        ref["split"] = "test" if i < NUM_IMAGES else "train"
        sentence = {"sent_id": 2 * i, "sent": "left block that is red", "raw": "", "tokens": []}
        ref |= {"sentences": [sentence], "sent_ids": [2 * i]}
        right = {"sent_id": 2 * i + 1, "sent": "right block that is two", "raw": "", "tokens": []}
        names = {"ref_id": 1000 + i, "ann_id": 2 * i}
        others.append({**ref, **names, "sentences": [right], "sent_ids": [2 * i + 1]})
    return open_dataset(*prepared(write_dataset(folder / "data", instances, refs + others), folder))


def by_set_of_words(text: str, left: list[float]) -> list[float]:
    words = set(text.split())
    return left if "left" in words else SMALL if "right" in words else [0, 0, 10, 10]


def by_first_word(text: str, left: list[float]) -> list[float]:
    return {"left": left, "right": SMALL}.get(text.partition(" ")[0], [0.0, 0.0, 10.0, 10.0])


def by_image(text: str, left: list[float]) -> list[float]:
    return left


def boxes_of(asking: Asking, toy: Toy) -> tuple[np.ndarray, np.ndarray]:
    lefts = {
        int(image): box.tolist()
        for image, box in zip(asking.index.image_rows, asking.index.gt_boxes, strict=True)
        if box.tolist() != SMALL
    }

    def answer(rows: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        images = asking.index.image_rows[rows].tolist()
        return np.array(
            [[toy(text, lefts[image]) for image, text in zip(images, texts, strict=True)]], dtype=float
        )

    return (
        answer(asking.rows, asking.texts),
        answer(rows_of(asking), [change.text for change in asking.changes]),
    )


def audit_toy(index: DatasetIndex, *toys: Toy, seed: int = 0) -> AuditSummary:
    return audit_toy_of(ask(index, "test", seed, []), *toys, seed=seed)


def audit_toy_of(asking: Asking, *toys: Toy, seed: int = 0, sent_ids: Sequence[int] = ()) -> AuditSummary:
    runs = [boxes_of(asking, toy) for toy in toys]
    return audit_figures(
        asking,
        np.concatenate([original for original, _ in runs]),
        np.concatenate([changed for _, changed in runs]),
        label="toy",
        split="test",
        has_seeds=len(toys) > 1,
        level=0.95,
        seed=seed,
        sent_ids=sent_ids,
    )


def kinds_of(summary: AuditSummary) -> dict[str, AuditKind]:
    return {kind.kind: kind for kind in summary.kinds}


def test_a_model_of_the_set_of_words_is_told_to_ignore_their_order(index: DatasetIndex) -> None:
    summary = audit_toy(index, by_set_of_words)
    kinds = kinds_of(summary)
    assert summary.ignores_word_order is True
    assert summary.ignores_expression is False
    assert summary.acc_at_50.mean == 1
    for kind in ("shuffled", "reversed"):
        assert (kinds[kind].unchanged.mean, kinds[kind].acc_at_50.mean) == (1, 1)
        assert kinds[kind].difference.mean == 0
    assert (kinds["blank"].acc_at_50.mean, kinds["blank"].unchanged.mean) == (0, 0)
    assert kinds["blank"].difference.mean == -1
    # Of the five words of each, only one is read.
    assert kinds["dropped_word"].num_changes == 5 * 2 * NUM_IMAGES
    assert kinds["dropped_word"].unchanged.mean == pytest.approx(4 / 5)


def test_a_model_that_reads_the_first_word_is_not(index: DatasetIndex) -> None:
    summary = audit_toy(index, by_first_word)
    kinds = kinds_of(summary)
    assert summary.ignores_word_order is False
    assert kinds["reversed"].unchanged.mean == 0
    assert kinds["content_words"].unchanged.mean == 1
    assert kinds["dropped_word"].acc_at_50.mean == pytest.approx(4 / 5)


@pytest.mark.parametrize(
    ("shuffled", "backwards", "expected"),
    [
        ((0.92, 0.98), (0.90, 0.97), True),
        ((0.92, 0.98), (0.60, 0.80), False),
        ((0.50, 0.89), (0.85, 0.95), False),
        ((0.92, 0.98), (0.88, 1.00), None),  # Both are possible.
        ((None, None), (None, None), None),
    ],
)
def test_word_order_is_decided_by_intervals_that_lie_on_one_side(
    index: DatasetIndex,
    shuffled: tuple[float | None, float | None],
    backwards: tuple[float | None, float | None],
    expected: bool | None,
) -> None:
    kinds = kinds_of(audit_toy(index, by_set_of_words))
    shares = {"shuffled": shuffled, "reversed": backwards}
    changed = [
        kinds[name].model_copy(update={"unchanged": Interval(mean=0.9, low=low, high=high)})
        for name, (low, high) in shares.items()
    ]
    assert _ignores_order(changed) is expected
    assert _ignores_order(changed[:1]) is not True


def test_30_images_with_the_same_boxes_leave_it_open(index: DatasetIndex) -> None:
    """The exact interval of 30 of 30 images begins at 88 %."""
    asking = ask(index, "test", 0, [])
    images = index.image_rows[asking.rows]
    keep = np.isin(images, np.unique(images)[:30])
    rows = np.flatnonzero(keep).tolist()
    changes = [
        replace(change, row=rows.index(change.row), other=None)
        for change in asking.changes
        if keep[change.row] and change.kind in ("shuffled", "reversed")
    ]
    few = Asking(index, asking.rows[keep], changes)
    names = {"label": "toy", "has_seeds": False, "level": 0.95, "seed": 0, "sent_ids": []}
    summary = audit_figures(few, *boxes_of(few, by_set_of_words), split="test", **names)
    assert (summary.num_images, kinds_of(summary)["shuffled"].unchanged.mean) == (30, 1)
    assert summary.ignores_word_order is None


def test_a_model_of_the_image_only_ignores_the_expression(index: DatasetIndex) -> None:
    summary = audit_toy(index, by_image)
    kinds = kinds_of(summary)
    assert (summary.ignores_word_order, summary.ignores_expression) == (True, True)
    assert summary.acc_at_50.mean == 0.5
    assert kinds["blank"].unchanged.mean == 1
    # On half of the expressions, the box is on the other object already: it does not move.
    assert kinds["swapped_side"].moved is not None
    assert kinds["swapped_side"].moved.mean == 0


def test_boxes_that_move_to_the_other_object_are_counted(index: DatasetIndex) -> None:
    kinds = kinds_of(audit_toy(index, by_set_of_words))
    sides = kinds["swapped_side"]
    assert (sides.num_changes, sides.num_with_other) == (2 * NUM_IMAGES, 2 * NUM_IMAGES)
    assert sides.moved is not None and sides.moved.mean == 1
    assert sides.acc_at_50.mean == 0
    other = kinds["other_expression"]
    assert other.moved is not None and other.moved.mean == 1
    # A number is no word that this model reads: its box stays.
    numbers = kinds["swapped_number"]
    assert (numbers.num_changes, numbers.num_expressions, numbers.num_images) == (NUM_IMAGES,) * 3
    assert numbers.moved is not None and numbers.moved.mean == 0
    assert kinds["blank"].moved is None and kinds["blank"].num_with_other == 0


def test_several_runs_are_a_procedure(index: DatasetIndex) -> None:
    summary = audit_toy(index, by_set_of_words, by_first_word, by_set_of_words)
    assert (summary.population, summary.num_runs) == ("procedure", 3)
    kinds = kinds_of(summary)
    assert kinds["reversed"].unchanged.mean == pytest.approx(2 / 3)
    # Runs that differ so much leave it open for a model that is trained again.
    assert summary.ignores_word_order is None


def test_the_words_of_an_example_show_what_is_read(index: DatasetIndex) -> None:
    summary = audit_toy(index, by_set_of_words)
    assert len(summary.examples) == 10
    for example in summary.examples:
        ious = [word.iou for word in example.words]
        assert [word.word for word in example.words] == example.sentence.split()
        assert ious[0] < 0.9 and ious[1:] == [1, 1, 1, 1]
        assert example.iou == 1
    assert len({example.image_file for example in summary.examples}) == 10


def rows_word_by_word(asking: Asking) -> set[int]:
    return {change.row for change in asking.changes if change.kind == "dropped_word"}


def test_of_many_expressions_some_are_asked_word_by_word_and_those_that_are_named(
    index: DatasetIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions_module, "MAX_DROPPED_WORDS", 23)
    ids = index.sentences["sent_id"].take(index.split("test")).to_pylist()
    sampled = rows_word_by_word(ask(index, "test", 0, []))
    assert len(sampled) == 4
    for named in ([ids[3], ids[7]], ids[:10]):
        asking = ask(index, "test", 0, named)
        at = {ids.index(each) for each in named}
        assert rows_word_by_word(asking) == sampled | at
        # Those that a person picks are shown, and do not change the figures.
        assert asking.shown_only == at - sampled
        figures = audit_toy_of(asking, by_set_of_words, sent_ids=named)
        assert kinds_of(figures)["dropped_word"].num_expressions == 4
        assert [each.sent_id for each in figures.examples] == sorted(named, key=ids.index)
    with pytest.raises(CliprpnError, match="--sent-id 9999") as caught:
        ask(index, "test", 0, [9999])
    assert caught.value.code == "bad_input"


def dataset_of(index: DatasetIndex) -> TrialDataset:
    return TrialDataset(id=index.dataset_id, name="blocks", root=str(index.root), split_by="umd")


def export(
    index: DatasetIndex, file: Path, seed: int = 0, sent_ids: Sequence[int] = ()
) -> list[dict[str, object]]:
    found = export_changes(
        ExportChangesParams(
            dataset=dataset_of(index),
            split="test",
            seed=seed,
            sent_ids=list(sent_ids),
            prompt="Where is {expression}? Answer with {coordinates}.",
            coordinates="xyxy_1000",
            image_paths="relative",
            out_file=str(file),
        )
    )
    questions = [json.loads(line) for line in file.read_text().splitlines()]
    assert (found.num_questions, found.num_expressions) == (len(questions), 2 * NUM_IMAGES)
    return questions


def answers_params(
    index: DatasetIndex, *files: Path, seed: int = 0, sent_ids: Sequence[int] = ()
) -> AuditAnswersParams:
    pixels = Coordinates.model_validate({"box_format": "xyxy", "frame": {"kind": "original"}})
    return AuditAnswersParams(
        label="toy",
        dataset=dataset_of(index),
        split="test",
        alpha=0.05,
        seed=seed,
        sent_ids=list(sent_ids),
        files=[str(file) for file in files],
        reading=READING.model_copy(update={"coordinates": pixels}),
    )


def answer_file(
    index: DatasetIndex, questions: list[dict[str, object]], file: Path, toy: Toy, fields: Sequence[str] = ()
) -> Path:
    """Answers in another order than the questions, as a program that asks several at once writes them."""
    names = index.images["file_name"].to_pylist()
    lefts = {
        names[int(image)]: box.tolist()
        for image, box in zip(index.image_rows, index.gt_boxes, strict=True)
        if box.tolist() != SMALL
    }
    lines = []
    for question in reversed(questions):
        x1, y1, x2, y2 = toy(str(question["expression"]), lefts[question["image"]])
        box = {"pred_x1": x1, "pred_y1": y1, "pred_x2": x2, "pred_y2": y2}
        lines.append(json.dumps({name: question[name] for name in ("sent_id", *fields)} | box))
    file.write_text("\n".join(lines) + "\n")
    return file


def test_questions_have_unique_ids_and_no_answer(index: DatasetIndex, tmp_path: Path) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    ids = [question["sent_id"] for question in questions]
    assert len(set(ids)) == len(ids)
    assert ids == question_ids(ask(index, "test", 0, []))
    fields = {
        "sent_id",
        "image_id",
        "image",
        "width",
        "height",
        "expression",
        "prompt",
        "coordinates",
        "split",
    }
    assert all(set(each) == fields for each in questions)
    assert questions[0]["prompt"] == (
        "Where is left block that is red? Answer with [x1, y1, x2, y2], from 0 to 1000."
    )
    by_id = {each["sent_id"]: each["expression"] for each in questions}
    assert by_id["0#original"] == "left block that is red"
    assert by_id["0#blank"] == ""
    assert by_id["0#dropped_word-1"] == "left that is red"
    assert by_id["1#swapped_number"] == "right block that is three"


@pytest.mark.parametrize("toy", [by_set_of_words, by_first_word])
@pytest.mark.parametrize("fields", [(), ("expression",), ("expression", "prompt", "image")])
def test_answers_to_exported_questions_give_the_figures_of_the_model(
    index: DatasetIndex, tmp_path: Path, toy: Toy, fields: Sequence[str]
) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    file = answer_file(index, questions, tmp_path / "answers.jsonl", toy, fields)
    result, expected = audit_answers(answers_params(index, file)), audit_toy(index, toy)
    found = result.summary
    assert found.ignores_word_order == expected.ignores_word_order == (toy is by_set_of_words)
    assert found.model_dump() == expected.model_dump()
    [report] = result.reports
    assert (report.num_rows, report.num_answered, report.num_missing) == (len(questions), len(questions), 0)


def test_a_question_without_an_answer_is_a_miss_and_no_other_box(index: DatasetIndex, tmp_path: Path) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    answered = [each for each in questions if str(each["sent_id"]) not in ("0#original", "1#reversed")]
    file = answer_file(index, answered, tmp_path / "answers.jsonl", by_set_of_words)
    with file.open("a") as lines:  # A row of a question without an answer, as in a file that was cut.
        lines.write(json.dumps({"sent_id": "0#original", "pred_x1": None}) + "\n")
    summary = audit_answers(answers_params(index, file)).summary
    num = 2 * NUM_IMAGES
    assert summary.acc_at_50.mean == pytest.approx(1 - 1 / num)
    assert (summary.num_missing, summary.num_unparsed) == (1, 0)
    backwards, shuffled = kinds_of(summary)["reversed"], kinds_of(summary)["shuffled"]
    assert backwards.acc_at_50 is not None
    assert backwards.acc_at_50.mean == pytest.approx(1 - 1 / num)
    assert (backwards.num_missing, backwards.num_unparsed, backwards.num_compared) == (1, 0, num - 2)
    assert (shuffled.num_missing, shuffled.num_compared) == (0, num - 1)
    for kind in (backwards, shuffled):
        assert kind.unchanged is not None and kind.unchanged.mean == 1
    assert summary.ignores_word_order is True


def test_a_kind_with_boxes_for_less_than_half_of_its_questions_gets_no_figures(
    index: DatasetIndex, tmp_path: Path
) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    shuffled = [each for each in questions if str(each["sent_id"]).endswith("#shuffled")]
    cut = {each["sent_id"] for each in shuffled[: len(shuffled) // 2 + 1]}
    blank = [each for each in questions if str(each["sent_id"]).endswith("#blank")]
    answered = [each for each in questions if each["sent_id"] not in cut and each not in blank]
    file = answer_file(index, answered, tmp_path / "answers.jsonl", by_set_of_words)
    text = file.read_text()
    file.write_text(
        text
        + "".join(json.dumps({"sent_id": each["sent_id"], "answer": "I see none"}) + "\n" for each in blank)
    )
    summary = audit_answers(answers_params(index, file)).summary
    kinds = kinds_of(summary)
    for name, lacking in (("shuffled", (len(cut), 0)), ("blank", (0, 2 * NUM_IMAGES))):
        kind = kinds[name]
        assert (kind.num_missing, kind.num_unparsed) == lacking
        figures = (kind.acc_at_50, kind.difference, kind.unchanged, kind.moved, kind.p_value, kind.p_adjusted)
        assert set(figures) == {None}
    assert kinds["reversed"].unchanged is not None
    assert (summary.ignores_word_order, summary.ignores_expression) == (None, None)


def test_words_without_an_answer_are_not_shown_as_read(index: DatasetIndex, tmp_path: Path) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    answered = [each for each in questions if not str(each["sent_id"]).endswith("#dropped_word-1")]
    file = answer_file(index, answered, tmp_path / "answers.jsonl", by_set_of_words)
    for example in audit_answers(answers_params(index, file)).summary.examples:
        assert [word.iou is None for word in example.words] == [False, True, False, False, False]


def test_runs_with_different_gaps_are_compared_where_all_have_boxes(
    index: DatasetIndex, tmp_path: Path
) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    files = [
        answer_file(
            index,
            [each for each in questions if each["sent_id"] != f"{gap}#reversed"],
            tmp_path / f"{gap}.jsonl",
            by_set_of_words,
        )
        for gap in (0, 1)
    ]
    result = audit_answers(answers_params(index, *files))
    kind = kinds_of(result.summary)["reversed"]
    assert (kind.num_missing, kind.num_compared) == (2, 2 * NUM_IMAGES - 2)
    assert kind.unchanged is not None and kind.unchanged.mean == 1
    assert result.summary.population == "procedure"
    assert [report.num_missing for report in result.reports] == [1, 1]


def refused(params: AuditAnswersParams) -> CliprpnError:
    with pytest.raises(CliprpnError) as caught:
        audit_answers(params)
    return caught.value


def test_answers_to_the_unchanged_expressions_or_to_the_changes_only_are_refused(
    index: DatasetIndex, tmp_path: Path
) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    originals = [each for each in questions if str(each["sent_id"]).endswith("#original")]
    changes = [each for each in questions if each not in originals]
    for part, expected in ((originals, "of a kind"), (changes, "unchanged expressions")):
        error = refused(
            answers_params(index, answer_file(index, part, tmp_path / "part.jsonl", by_set_of_words))
        )
        assert error.code == "data_invalid" and expected in error.message


def test_answers_to_other_questions_are_refused_with_an_id_of_both(
    index: DatasetIndex, tmp_path: Path
) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    for question in questions:
        question["sent_id"] = str(question["sent_id"]).partition("#")[0]
    error = refused(
        answers_params(index, answer_file(index, questions, tmp_path / "vlm.jsonl", by_set_of_words))
    )
    assert error.code == "data_invalid"
    assert "0#original" in error.message and "vlm.jsonl:1" in error.message


@pytest.mark.parametrize("field", ["expression", "prompt"])
def test_answers_of_another_seed_are_refused_and_it_is_named(
    index: DatasetIndex, tmp_path: Path, field: str
) -> None:
    questions = export(index, tmp_path / "questions.jsonl", seed=3)
    for question in questions:
        question["question"] = question[field]
    file = answer_file(index, questions, tmp_path / "answers.jsonl", by_set_of_words, ["question"])
    error = refused(answers_params(index, file))
    assert error.code == "data_invalid"
    assert "answers.jsonl:" in error.message and "--seed 3" in error.message and "#shuffled" in error.message
    assert audit_answers(answers_params(index, file, seed=3)).summary.seed == 3


def test_answers_whose_ids_have_slipped_are_refused(index: DatasetIndex, tmp_path: Path) -> None:
    questions = export(index, tmp_path / "questions.jsonl")
    kept = [each for each in questions if each["sent_id"] != "0#dropped_word-1"]
    ids = [each["sent_id"] for each in questions]
    slipped = [{**each, "sent_id": sent_id} for each, sent_id in zip(kept, ids, strict=False)]
    file = answer_file(index, slipped, tmp_path / "answers.jsonl", by_set_of_words, ["expression"])
    error = refused(answers_params(index, file))
    assert error.code == "data_invalid"
    assert "expected for the sent_id" in error.message and "rows differ" in error.message


def test_a_named_expression_must_have_been_asked_word_by_word(
    index: DatasetIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions_module, "MAX_DROPPED_WORDS", 23)
    asking = ask(index, "test", 0, [])
    ids = index.sentences["sent_id"].take(index.split("test")).to_pylist()
    other = next(each for row, each in enumerate(ids) if row not in rows_word_by_word(asking))
    file = answer_file(
        index, export(index, tmp_path / "few.jsonl"), tmp_path / "answers.jsonl", by_set_of_words
    )
    error = refused(answers_params(index, file, sent_ids=[other]))
    assert error.code == "bad_input" and f"--sent-id {other}" in error.message
    questions = export(index, tmp_path / "more.jsonl", sent_ids=[other])
    file = answer_file(index, questions, tmp_path / "answers.jsonl", by_set_of_words)
    summary = audit_answers(answers_params(index, file, sent_ids=[other])).summary
    assert [each.sent_id for each in summary.examples] == [other]
    assert [word.iou == 1 for word in summary.examples[0].words] == [False, True, True, True, True]


def test_an_expression_of_one_word_is_counted_and_cannot_be_shown_word_by_word(tmp_path: Path) -> None:
    instances, refs = make_records(4)
    for i, ref in enumerate(refs):
        text = "block" if i == 0 else "red block"
        sentence = {"sent_id": i, "sent": text, "raw": "", "tokens": []}
        ref |= {"split": "test" if i < 3 else "train", "sentences": [sentence], "sent_ids": [i]}
    small = open_dataset(*prepared(write_dataset(tmp_path / "data", instances, refs), tmp_path))
    summary = audit_toy(small, by_set_of_words)
    assert (summary.num_expressions, summary.num_one_word) == (3, 1)
    assert [kinds_of(summary)[kind].num_expressions for kind in ("shuffled", "reversed")] == [2, 2]
    with pytest.raises(CliprpnError, match="two words or more") as caught:
        ask(small, "test", 0, [0])
    assert caught.value.code == "bad_input"


def test_a_dataset_without_images_has_words_without_images(index: DatasetIndex) -> None:
    summary = audit_toy(replace(index, images_dir=None), by_set_of_words)
    assert len(summary.examples) == 10
    assert {each.image_file for each in summary.examples} == {None}


def test_runs_without_any_box_change_nothing(index: DatasetIndex) -> None:
    """As a detector that finds nothing: no box is the same as before, and none has moved."""
    summary = audit_toy(index, lambda text, left: [0.0, 0.0, 0.0, 0.0])
    assert summary.num_unparsed == 2 * NUM_IMAGES
    assert {kind.num_compared for kind in summary.kinds} == {0}
    assert {kind.unchanged for kind in summary.kinds} == {None}
    assert (summary.ignores_word_order, summary.ignores_expression) == (None, None)
