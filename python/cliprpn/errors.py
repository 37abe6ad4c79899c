"""The exception for errors that the user can fix."""

from __future__ import annotations

import errno


class CliprpnError(Exception):
    """An error whose message says what was expected, what was found, where, and what to do next.

    Args:
        code: one of the contract's error codes.
        message: shown to the user without a traceback.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def disk_is_full(error: BaseException) -> bool:
    """Whether a disk or a quota is full. Errors of safetensors have no errno, only the text of a Rust error."""
    full = (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "errno", None) in full or any(f"(os error {code})" in str(error) for code in full)
