"""Files are written in one step, also by processes of two machines that share a disk."""

from __future__ import annotations

import collections
import os
from pathlib import Path

import pytest

from cliprpn.errors import CliprpnError
from cliprpn.storage import durable
from cliprpn.storage.durable import LEFTOVER_AGE_S, full_folder, space_advice, write_durably


def test_two_machines_whose_processes_have_the_same_id_use_different_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second machine writes while the first is about to rename its file."""
    path, replace = tmp_path / "file", os.replace
    monkeypatch.setattr(os, "getpid", lambda: 4711)

    def replace_after_another(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "replace", replace)
        write_durably(path, b"second")
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_after_another)
    write_durably(path, b"first")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["file"]


def test_temporary_files_of_killed_processes_are_removed(tmp_path: Path) -> None:
    old, recent, other = (tmp_path / name for name in (".file.12.new", ".file.ab.new", ".files.ab.new"))
    for file in (old, recent, other):
        file.write_bytes(b"incomplete")
    now = recent.stat().st_mtime
    for file in (old, other):
        os.utime(file, (now, now - LEFTOVER_AGE_S - 10))
    write_durably(tmp_path / "file", b"complete")
    assert sorted(os.listdir(tmp_path)) == [recent.name, other.name, "file"]  # `recent` may still be written.


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def fail(fd: int) -> None:
        raise OSError(5, "I/O error")

    monkeypatch.setattr(durable.os, "fsync", fail)
    with pytest.raises(CliprpnError, match="the disk failed") as caught:
        write_durably(path, b"new")
    assert caught.value.code == "environment_broken" and str(path) in caught.value.message
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_advice_for_a_full_disk_names_the_option_of_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIPRPN_CACHE", str(tmp_path / "cache"))
    assert "CLIPRPN_CACHE" in space_advice(tmp_path / "cache/features/maps.npy")
    assert "CLIPRPN_CACHE" not in space_advice(tmp_path / "runs/trials/1/outcome.json")
    assert "--runs-dir" in space_advice(tmp_path / "runs/trials/1/outcome.json")


def test_a_full_disk_without_a_file_is_the_one_with_the_least_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {tmp_path / "runs": 0, tmp_path / "cache": 5_000_000}
    for folder in free:
        folder.mkdir()
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(9, 9, free[Path(path)]))
    assert full_folder(tmp_path / "cache", tmp_path / "runs/trials/new") == tmp_path / "runs/trials/new"
