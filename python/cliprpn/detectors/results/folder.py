"""A folder with a file of detections for each image."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cliprpn.data.image_keys import file_sha256


def detection_files(folder: Path) -> list[Path]:
    """The .json and .txt files in a folder, sorted by name as bytes.

    Raises:
        OSError.
    """
    files = [file for file in folder.iterdir() if file.suffix.lower() in (".json", ".txt") and file.is_file()]
    return sorted(files, key=lambda file: os.fsencode(file.name))


def folder_sha256(folder: Path) -> str:
    """SHA-256 of the names and contents of the files, as `src/experiment/results-folder.ts` computes it.

    Raises:
        OSError.
    """
    lines = [f"{file_sha256(file)}  {file.name}\n" for file in detection_files(folder)]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
