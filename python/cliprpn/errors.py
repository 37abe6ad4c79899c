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
    """Whether a disk or a quota is full."""
    return _is_one_of(error, errno.ENOSPC, errno.EDQUOT)


def disk_has_failed(error: BaseException) -> bool:
    """Whether a disk could not read or write what it should."""
    return _is_one_of(error, errno.EIO)


def is_not_writable(error: BaseException) -> bool:
    """Whether a disk is read-only, or the permission for a file or a folder is missing."""
    return _is_one_of(error, errno.EROFS, errno.EACCES, errno.EPERM)


def _is_one_of(error: BaseException, *codes: int) -> bool:
    """Whether the system gave one of these codes. Those of safetensors have no errno, only the text of a Rust error."""
    return getattr(error, "errno", None) in codes or any(f"(os error {code})" in str(error) for code in codes)
