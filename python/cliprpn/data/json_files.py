"""Reads JSON from untrusted files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cliprpn.data.annotation_files import encoding_problem, open_annotations
from cliprpn.errors import CliprpnError

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")


def parse_json(text: str) -> Any:
    """Parses JSON; a duplicate key in an object is an error.

    Raises:
        ValueError: says what is wrong with the JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("lists or objects nested too deep") from error


def read_json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; a duplicate key in it is an error.

    Raises:
        CliprpnError: data_invalid, if it is not JSON or not an object.
    """
    content = read_json(path, object_pairs_hook=unique_keys)
    if not isinstance(content, dict):
        raise CliprpnError("data_invalid", f"{path}: expected an object, found a {type(content).__name__}")
    return content


def read_json(path: Path, **hook: Callable[[Any], Any]) -> Any:
    """The content of a JSON file.

    Args:
        hook: one of the hooks of `json.loads`, by name.

    Raises:
        CliprpnError: data_invalid, if it is not JSON.
        OSError: the file cannot be read.
    """
    try:
        return json.loads(read_text(path), **hook)  # type: ignore[arg-type]
    except json.JSONDecodeError as error:
        raise CliprpnError(
            "data_invalid", f"{path}:{error.lineno}:{error.colno}: expected JSON: {error.msg}"
        ) from error
    except RecursionError as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected JSON: lists or objects nested too deep"
        ) from error
    except ValueError as error:
        raise CliprpnError("data_invalid", f"{path}: expected JSON: {error}") from error


def read_text(path: Path) -> str:
    """The text of a JSON file in UTF-8 or UTF-16, also inside gzip, tar or zip.

    Raises:
        CliprpnError: data_invalid, if it is not text.
        OSError: the file cannot be read.
    """
    with open_annotations(path, JSON_SUFFIXES) as file:
        content = file.read()
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = encoding_problem(content, error, path.name)
        if not encoding.startswith("utf-8"):
            problem = f"expected text in UTF-8 or UTF-16: {error.reason}"
        raise CliprpnError("data_invalid", f"{path}:{line}: {problem}") from error


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON.

    Raises:
        ValueError: a key occurs twice.
    """
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        duplicate = next(key for key in values if keys.count(key) > 1)
        raise ValueError(f"duplicate key {duplicate[:40]!r} in an object")
    return values
