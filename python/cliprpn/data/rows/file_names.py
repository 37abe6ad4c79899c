"""Names of images that stay in their folder."""

from __future__ import annotations

import re

from cliprpn.data.records import is_text

MAX_NAME_CHARS = 1000


def name_problem(name: object) -> str | None:
    """Why this is no name of a file below the folder of images, on any system; None where it is one."""
    if not is_text(name) or not isinstance(name, str):
        return "expected a file name"
    if not name.strip() or len(name) > MAX_NAME_CHARS:
        return f"expected a file name of 1 to {MAX_NAME_CHARS} characters"
    if any(ord(char) < 32 or ord(char) == 127 for char in name):
        return "expected a file name without control characters"
    parts = re.split(r"[/\\]", name)
    if parts[0] == "" or re.match(r"[A-Za-z]:", name):
        return "expected a name below the folder of images, not an absolute path"
    if ".." in parts:
        return "expected a name below the folder of images, not one that leads out of it"
    if parts[-1] in ("", "."):
        return "expected the name of a file, not of a folder"
    return None
