"""The splits that names such as `validation` and `minival` mean."""

from __future__ import annotations

from typing import Any

from cliprpn.data.annotations import SPLITS

# Names in lower case without `_`, `-` and spaces.
MEANINGS = {
    **{name: "train" for name in ("train", "training", "trn", "trainset")},
    **{name: "val" for name in ("val", "validation", "valid", "validate", "dev", "develop", "development")},
    **{name: "val" for name in ("minival", "valset", "devset")},
    **{name: "test" for name in ("test", "testing", "tst", "testset")},
    "testa": "testA",
    "testb": "testB",
}


def split_named(name: Any) -> str | None:
    """The split that a name means; None if it means none."""
    if name in SPLITS:
        return str(name)
    if not isinstance(name, str) or len(name) > 40:
        return None
    return MEANINGS.get("".join(char for char in name.lower() if char not in "_- \t"))
