"""Reads `annotations/refs(umd).p`: which object each sentence means, and its split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cliprpn.data.problems import Problems
from cliprpn.data.records import good_records, is_integer, is_old_text
from cliprpn.data.unpickler import load_plain
from cliprpn.errors import CliprpnError

SPLITS = ("train", "val", "test", "testA", "testB")


def read_refs(path: Path, problems: Problems) -> list[dict[str, Any]]:
    """Refs in the file's order: ref_id, ann_id, image_id, split and at least one good sentence each.

    Raises:
        CliprpnError: data_invalid, when there is no such file or it is not a list of plain values.
    """
    if not path.is_file():
        there = sorted(found.name for found in path.parent.glob("refs(*).p"))
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected the refs of this split_by, found {', '.join(there) or 'no refs file'} "
            "in the folder",
        )
    refs = load_plain(path)
    if not isinstance(refs, list):
        raise CliprpnError("data_invalid", f"{path}: expected a list of refs, found a {type(refs).__name__}")
    good = []
    for ref in good_records(refs, REF_FIELDS, path.name, problems):
        where = f"{path.name}: ref {ref['ref_id']}: sentences"
        sentences = list(good_records(ref["sentences"], SENTENCE_FIELDS, where, problems))
        good.append({**ref, "sentences": sentences})
    if not refs:
        problems.add(f"{path.name}: expected refs, found an empty list")
    return good


REF_FIELDS = {
    "ref_id": ("an integer", is_integer),
    "ann_id": ("an integer", is_integer),
    "image_id": ("an integer", is_integer),
    "split": ("train, val, test, testA or testB", lambda value: value in SPLITS),
    "sentences": ("a list with a sentence", lambda value: isinstance(value, list) and len(value) > 0),
}
SENTENCE_FIELDS = {"sent_id": ("an integer", is_integer), "sent": ("text", is_old_text)}
