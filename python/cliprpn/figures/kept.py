"""Keeps the figures of each configuration, so that a report computes only what is new."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from cliprpn.code_identity import CODE_FOLDER
from cliprpn.contract.generated import SettingSummary
from cliprpn.figures.runs import Runs
from cliprpn.figures.setting_figures import SettingFigures
from cliprpn.storage.damaged_arrays import DAMAGED_ARRAYS
from cliprpn.storage.durable import write_durably


def kept_figures(
    runs: Runs, key: Sequence[object], folder: Path, compute: Callable[[], SettingFigures]
) -> SettingFigures:
    """The kept figures of a configuration; computes and keeps them if any of its predictions has changed.

    Args:
        key: all that the figures depend on besides the predictions and the code.
        folder: of the kept figures; created if missing.

    Raises:
        CliprpnError: not_found, no_space; those of `compute`.
    """
    if not all(file.is_file() for file in runs.files):
        return compute()  # Its error says what is missing.
    file = folder / f"{_file_key(runs, key)}.npz"
    kept = _read(file, runs)
    if kept is not None:
        return kept
    computed = compute()
    _write(file, computed)
    return computed


def _file_key(runs: Runs, key: Sequence[object]) -> str:
    """Hash of all that the figures depend on. Predictions are written once, so size and time identify them."""
    files = [
        [str(file), status.st_size, status.st_mtime_ns, status.st_ino]
        for file in runs.files
        for status in [file.stat()]
    ]
    parts = [_code_hash(), *key, runs.group.model_dump(mode="json", exclude={"label"}), files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def _code_hash() -> str:
    """Hash of all code of the package: figures also depend on how predictions, boxes and objects are read."""
    digest = hashlib.sha256()
    for file in sorted(CODE_FOLDER.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read(file: Path, runs: Runs) -> SettingFigures | None:
    """None if there is no such file, or it is damaged: it is computed again."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            num_runs, num_rows = arrays["shape"].tolist()
            hits = np.unpackbits(arrays["hits"], axis=1, count=num_rows).astype(bool)
            summary = SettingSummary.model_validate_json(arrays["summary"].tobytes())
    except (*DAMAGED_ARRAYS, ValidationError):
        return None
    if hits.shape[0] != num_runs:
        return None
    return SettingFigures(summary.model_copy(update={"label": runs.group.label}), hits)


def _write(file: Path, computed: SettingFigures) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        shape=np.array(computed.hits.shape),
        hits=np.packbits(computed.hits, axis=1),
        summary=np.frombuffer(computed.summary.model_dump_json().encode(), dtype=np.uint8),
    )
    write_durably(file, content.getvalue())
