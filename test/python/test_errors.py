"""A full disk is recognized by its error, and errors of the file system name the file."""

from __future__ import annotations

import errno
import json
import os

import pytest
from safetensors import SafetensorError

from cliprpn.bridge import runtime
from cliprpn.errors import disk_is_full


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_recognized() -> None:
    # Written directly: an atomic write would replace /dev/full by a file.
    with pytest.raises(OSError) as caught, open("/dev/full", "w") as file:
        file.write("x")
    assert disk_is_full(caught.value)


def test_a_full_disk_is_recognized_in_an_error_of_safetensors() -> None:
    # Seen on a full tmpfs; errors of safetensors have no errno.
    text = "Error while serializing: I/O error: No space left on device (os error 28)"
    assert disk_is_full(SafetensorError(text))


def test_other_errors_are_not_a_full_disk() -> None:
    assert not disk_is_full(FileNotFoundError(2, "no such file"))
    assert not disk_is_full(ValueError("28 is too many"))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "no_space"),
        (errno.EDQUOT, "no_space"),
        (errno.EROFS, "environment_broken"),
        (errno.EACCES, "environment_broken"),
        (errno.EIO, "environment_broken"),
        (errno.EBADF, "internal"),
    ],
)
def test_an_error_of_the_file_system_says_which_file(
    monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fail(*_: object) -> dict[str, object]:
        raise OSError(number, os.strerror(number), "/runs/answers")

    monkeypatch.setattr(runtime, "_run", fail)
    reply = json.loads(runtime.handle("evaluate", "{}"))
    assert reply["error"]["code"] == code
    assert "/runs/answers" in reply["error"]["message"]
