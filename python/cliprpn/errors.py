"""The one exception that is meant for a person."""

from __future__ import annotations


class CliprpnError(Exception):
    """What was expected, what was found, where, and what to do next.

    Args:
        code: one of the contract's error codes.
        message: for a person; no traceback is shown beside it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
