"""Plain values that torch.save wrote, read without torch.load."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from cliprpn.data.unpickler import MAX_BYTES, load_plain_from
from cliprpn.errors import CliprpnError

# First of the pickles in a file of torch before 1.6: this, a version, the system, the value.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def load_torch_plain(path: Path) -> Any:
    """The value of a `.pth` file of any torch, or of a plain pickle.

    Raises:
        CliprpnError: data_invalid, naming what is not plain: tensors, arrays, classes.
    """
    stream = io.BytesIO(_pickles(path))
    value = load_plain_from(stream, path)
    if value == LEGACY_MAGIC:
        for _ in range(3):
            value = load_plain_from(stream, path)
    return value


def _pickles(path: Path) -> bytes:
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            return _zipped_pickle(path)
    if path.stat().st_size > MAX_BYTES:
        raise CliprpnError("data_invalid", f"{path}: expected index rows of at most {MAX_BYTES:,} bytes")
    return path.read_bytes()


def _zipped_pickle(path: Path) -> bytes:
    """`<name>/data.pkl` of torch's zip, which is not compressed: what is has no business to be."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
            if (
                len(found) != 1
                or found[0].compress_type != zipfile.ZIP_STORED
                or found[0].file_size > MAX_BYTES
            ):
                raise CliprpnError(
                    "data_invalid",
                    f"{path}: expected one data.pkl, not compressed, of at most {MAX_BYTES:,} bytes, as torch "
                    f"writes it, found {len(found)} in the zip",
                )
            return archive.read(found[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected torch's zip, found a broken one: {error}"
        ) from error
