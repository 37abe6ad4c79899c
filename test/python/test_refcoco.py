"""RefCOCO's layout: a valid dataset is read, and problems are reported."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import HEIGHT, WIDTH, make_records, small_dataset, write_dataset
from prepared import source_of

from cliprpn.data.annotations import Annotations
from cliprpn.data.box_checks import DEFAULT_RULES, check_referred_boxes
from cliprpn.data.problems import Problems
from cliprpn.data.sources import count_splits, read_source
from cliprpn.errors import CliprpnError

Refs = list[dict[str, Any]]


def read(root: Path, split_by: str = "umd") -> Annotations:
    return read_source(source_of(root, split_by)).annotations


def problems_of(root: Path, split_by: str = "umd") -> str:
    with pytest.raises(CliprpnError) as caught:
        read(root, split_by)
    assert caught.value.code == "data_invalid"
    return caught.value.message


def test_sentences_are_joined_with_their_object_and_image(tmp_path: Path) -> None:
    annotations = read(small_dataset(tmp_path))
    assert (len(annotations.images), len(annotations.objects), len(annotations.sentences)) == (12, 24, 24)
    second = annotations.sentences[2]
    assert (second.ref_id, second.ann_id, second.image_id, second.sent_id) == (101, 3, 1, 2)
    assert (second.sentence, second.stratum, second.pair_id) == ("the green block", None, None)
    six = ["train", "train", "val", "train", "test", "train"]
    assert [row.split for row in annotations.sentences[::2]] == six * 2
    record = annotations.objects[3]
    assert (record.image_id, record.category, record.box) == (1, "block", (14, 11, 40.5, 30.25))
    assert annotations.box_format == "xywh"
    # By image_id, since a ref's file_name is not the name of a file.
    image = annotations.images[1]
    assert image.file_name == "COCO_train2014_000000000001.png"
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    assert "refs file" in read_source(source_of(tmp_path)).split_rule


def test_images_are_in_order_of_first_mention_with_all_their_objects(tmp_path: Path) -> None:
    instances, refs = make_records(6)
    again = {**refs[4], "sentences": refs[0]["sentences"]}
    annotations = read(write_dataset(tmp_path, instances, [refs[4], refs[1], again]))
    assert [image.image_id for image in annotations.images] == [4, 1]
    assert sorted(annotations.objects) == [2, 3, 8, 9]
    assert [row.image_id for row in annotations.sentences] == [4, 4, 1, 1, 4, 4]


def test_counts_cover_each_split_with_sentences(tmp_path: Path) -> None:
    instances, refs = make_records(6)
    refs[4]["split"] = "testB"
    counts = count_splits(read(write_dataset(tmp_path, instances, refs)))
    expected = [("train", 4, 4, 8), ("val", 1, 1, 2), ("testB", 1, 1, 2)]
    assert [tuple(count.values()) for count in counts] == expected


def test_changed_files_are_read_again(tmp_path: Path) -> None:
    instances, refs = make_records()
    root = write_dataset(tmp_path, instances, refs)
    assert read(root) is read(root)
    refs[0]["sentences"][0]["sent"] = "another sentence"
    (root / "annotations" / "refs(umd).p").write_bytes(pickle.dumps(refs, 2))
    assert read(root).sentences[0].sentence == "another sentence"
    (root / "annotations" / "refs(umd).p").unlink()
    assert "found no refs file" in problems_of(root)


def test_python_2_protocols_and_the_google_split_are_read(tmp_path: Path) -> None:
    instances, refs = make_records()
    write_dataset(tmp_path, instances, refs, protocol=0)
    google = [{**ref, "split": "train" if ref["split"] == "test" else ref["split"]} for ref in refs]
    write_dataset(tmp_path, instances, google, split_by="google")
    of = {by: [row.split for row in read(tmp_path, by).sentences] for by in ("umd", "google")}
    assert (of["umd"].count("test"), of["google"].count("test")) == (4, 0)


def test_non_ascii_sentences_are_read(tmp_path: Path) -> None:
    instances, refs = make_records()
    refs[0]["sentences"][0]["sent"] = "the café"
    refs[1]["sentences"][0]["sent"] = "the caf\udce9"  # What the unpickler returns for Python 2's Latin-1.
    assert read(write_dataset(tmp_path, instances, refs[:1])).sentences[0].sentence == "the café"
    old = pickle.dumps(refs[1:2], 2).replace(b"X\x0a\x00\x00\x00the caf\xed\xb3\xa9", b"U\x08the caf\xe9")
    (tmp_path / "annotations" / "refs(umd).p").write_bytes(old)
    assert read(tmp_path).sentences[0].sentence == "the café"


def test_a_box_past_the_edge_by_rounding_is_clipped(tmp_path: Path) -> None:
    instances, refs = make_records()
    instances["annotations"][1]["bbox"] = bbox = [80.5, 50, WIDTH - 80, HEIGHT - 49.5]
    annotations = read(write_dataset(tmp_path, instances, refs))
    assert list(annotations.objects[1].box) == bbox  # Unchanged, so that an export writes the same numbers.
    boxes = check_referred_boxes(annotations, {0: (WIDTH, HEIGHT)}, DEFAULT_RULES, Problems(tmp_path)).boxes
    assert boxes[1] == (80.5, 50, WIDTH, HEIGHT)


def change(key: str, position: int, field: str, value: Any) -> Callable[[dict[str, Any], Refs], None]:
    def apply(instances: dict[str, Any], refs: Refs) -> None:
        (refs if key == "refs" else instances[key])[position][field] = value

    return apply


BILLION_LAUGHS: list[Any] = []
for _ in range(40):
    BILLION_LAUGHS = [BILLION_LAUGHS] * 10  # Small in memory and in a pickle, huge when written out.
BAD = {
    "dangling ann_id": (change("refs", 3, "ann_id", 999), ["ref 103", "ann_id 999"]),
    "dangling image_id": (change("refs", 3, "image_id", 999), ["ref 103", "image_id 999"]),
    "another image's ann_id": (change("refs", 3, "ann_id", 3), ["ref 103", "in image 3", "image 1"]),
    "box outside": (
        change("annotations", 7, "bbox", [100, 20, 30, 30]),
        ["instances.json: annotation 7: ", "inside the 120 x 90 image", "[100, 20, 30, 30]"],
    ),
    "empty box": (
        change("annotations", 7, "bbox", [10, 10, 0, 5]),
        ["annotation 7", "not empty", "[10, 10, 0, 5]"],
    ),
    "inverted box": (
        change("annotations", 7, "bbox", [50, 50, -9, 5]),
        ["annotation 7", "[50, 50, -9, 5]"],
    ),
    "NaN in a box": (change("annotations", 7, "bbox", [10, 10, float("nan"), 5]), ["annotation 7", "nan"]),
    "huge number in a box": (
        change("annotations", 7, "bbox", [10, 10, 10**400, 5]),
        ["annotations[7]", "bbox"],
    ),
    "three numbers": (change("annotations", 7, "bbox", [1, 2, 3]), ["annotations[7]", "xywh", "[1, 2, 3]"]),
    "wrong split": (
        change("refs", 3, "split", "valid"),
        ["refs(umd).p[3]", "train, val, test, testA or testB", "'valid'"],
    ),
    "no sentence": (change("refs", 3, "sentences", []), ["refs(umd).p[3]", "at least one sentence"]),
    "sentence without text": (
        change("refs", 3, "sentences", [{"sent_id": 6}]),
        ["ref 103: sentences[0]", "sent (text)", "found none"],
    ),
    "duplicate sent_id": (
        change("refs", 3, "sentences", [{"sent_id": 0, "sent": "a"}]),
        ["ref 103: sent_id 0", "found 0 at refs(umd).p: ref 100"],
    ),
    "no width": (
        change("images", 3, "width", 0),
        ["images[3]", "width (a whole number of pixels)", "found 0"],
    ),
    "duplicate image id": (change("images", 3, "id", 2), ["images: duplicate id 2"]),
    "no name": (change("images", 3, "file_name", ""), ["images[3]", "file_name (a name)", "found ''"]),
    "billion laughs": (
        change("refs", 3, "ann_id", BILLION_LAUGHS),
        ["refs(umd).p", "more than 50,000,000 entries"],
    ),
    "number beyond 64 bits": (
        change("refs", 3, "ann_id", 10**6000),
        ["refs(umd).p[3]", "does not fit in 64 bits"],
    ),
    "lone surrogate in a sentence": (
        change("refs", 3, "sentences", [{"sent_id": 6, "sent": "a \ud800"}]),
        ["ref 103: sentences[0]", "sent (text)", r"\ud800"],
    ),
    "lone surrogate in a name": (
        change("images", 3, "file_name", "\udc80"),
        ["images[3]", "file_name (a name)"],
    ),
    "stratum": (
        change("refs", 3, "sentences", [{"sent_id": 6, "sent": "a", "stratum": 3, "pair_id": "x"}]),
        ["stratum to be text, found 3", "pair_id to be an integer, found 'x'"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_problem_is_reported_with_its_place(tmp_path: Path, name: str) -> None:
    apply, expected = BAD[name]
    good, refs = make_records()
    write_dataset(tmp_path, good, refs)
    instances = copy.deepcopy(good)
    apply(instances, refs)
    (tmp_path / "annotations" / "instances.json").write_text(json.dumps(instances))
    (tmp_path / "annotations" / "refs(umd).p").write_bytes(pickle.dumps(refs, 2))
    message = problems_of(tmp_path)
    assert [part for part in expected if part not in message] == [], message
    assert str(tmp_path) in message and len(message) < 2000


def test_all_problems_are_reported_at_once_and_counted(tmp_path: Path) -> None:
    instances, refs = make_records()
    write_dataset(tmp_path, instances, refs)
    refs[0]["ann_id"] = 999
    refs[1]["split"] = "dev"
    instances["annotations"][5]["bbox"] = [0, 0, 500, 5]
    (tmp_path / "annotations" / "refs(umd).p").write_bytes(pickle.dumps(refs))
    (tmp_path / "annotations" / "instances.json").write_text(json.dumps(instances))
    message = problems_of(tmp_path)
    assert "3 problems" in message
    for expected in ("ref 100", "'dev'", "annotation 5"):
        assert expected in message
    many = [{**ref, "split": "dev"} for ref in make_records(30)[1]]
    (tmp_path / "annotations" / "refs(umd).p").write_bytes(pickle.dumps(many))
    message = problems_of(tmp_path)
    assert "30 problems" in message and message.count("found 'dev'") == 1
    assert "the same 29 more times: refs(umd).p[1], refs(umd).p[2], refs(umd).p[3], ..." in message
    many = [{**ref, "split": f"dev{i}"} for i, ref in enumerate(many)]
    (tmp_path / "annotations" / "refs(umd).p").write_bytes(pickle.dumps(many))
    assert "30 problems" in problems_of(tmp_path) and "and 10 more: refs(umd).p" in problems_of(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("instances.json", b"{oops", "instances.json:1:2: expected JSON"),
        ("instances.json", b"\xff\xfe", "expected JSON"),
        ("instances.json", b"[" * 100_000, "expected JSON"),
        ("instances.json", b"[]", "expected an object, found a list"),
        (
            "instances.json",
            b'{"images": {}, "annotations": [], "categories": []}',
            "expected a list `images`",
        ),
        ("instances.json", None, "found no file"),
        ("refs(umd).p", b"\x80\x02}.", "expected a list of refs, found a dict"),
        ("refs(umd).p", b"\x80\x02].", "found an empty list"),
        ("refs(umd).p", b"\x80\x02]K\x01a.", "refs(umd).p[0]: expected an object, found 1"),
        ("refs(umd).p", b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b".", "expected an object, found [["),
        ("refs(umd).p", b"junk", "expected a pickle of plain values"),
        ("refs(umd).p", b"cos\nsystem\n.", "os.system"),
        ("refs(umd).p", None, "found no refs file in the folder"),
    ],
)
def test_a_missing_or_broken_file_is_reported(
    tmp_path: Path, file: str, content: bytes | None, expected: str
) -> None:
    path = small_dataset(tmp_path) / "annotations" / file
    path.unlink() if content is None else path.write_bytes(content)
    message = problems_of(tmp_path)
    assert expected in message and str(tmp_path) in message


def test_the_message_names_the_refs_files_present(tmp_path: Path) -> None:
    assert "found refs(umd).p in the folder" in problems_of(small_dataset(tmp_path), "google")


def test_images_are_not_opened(tmp_path: Path) -> None:
    """The command line opens them, and reports all that are missing or have another size."""
    root = small_dataset(tmp_path)
    (root / "images").rename(tmp_path / "elsewhere")
    assert len(read(root).images) == 12
