"""The one exception that is meant for a person."""

from __future__ import annotations

import errno


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


def disk_is_full(error: BaseException) -> bool:
    """Whether the error says that a disk or a quota is full; safetensors says it in Rust's words."""
    full = (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "errno", None) in full or any(f"(os error {code})" in str(error) for code in full)
