"""A full disk is told apart from a defect."""

from __future__ import annotations

import os

import pytest
from safetensors import SafetensorError

from cliprpn.errors import disk_is_full


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_known() -> None:
    # Opened and written, never handed to what may rename a file over it.
    with pytest.raises(OSError) as found, open("/dev/full", "w") as file:
        file.write("x")
    assert disk_is_full(found.value)


def test_a_full_disk_is_known_by_what_safetensors_says_of_it() -> None:
    # As it was said on a full tmpfs; safetensors gives no errno.
    text = "Error while serializing: I/O error: No space left on device (os error 28)"
    assert disk_is_full(SafetensorError(text))


def test_other_errors_are_not_a_full_disk() -> None:
    assert not disk_is_full(FileNotFoundError(2, "no such file"))
    assert not disk_is_full(ValueError("28 is too many"))
