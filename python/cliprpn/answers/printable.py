"""Texts of untrusted files for messages: short, without control characters and halves of surrogates."""

from __future__ import annotations


def printable(text: str, max_chars: int | None = None) -> str:
    """The text, or its start, with a space for each character that must not reach a terminal."""
    return "".join(char if char.isprintable() else " " for char in text[:max_chars])


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, or its type if it has none."""
    lines = str(error).strip().splitlines()
    return printable(lines[0] if lines else type(error).__name__, 300)
