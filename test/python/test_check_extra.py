"""The checks of optional packages that `doctor` runs in a worker."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cliprpn.detectors.check_extra import check_extra
from cliprpn.errors import CliprpnError


@pytest.mark.parametrize("name", ["onnx", "yolo"])
def test_installed_packages_run(name: str, tmp_path: Path) -> None:
    check_extra(name, tmp_path)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CliprpnError, match="onnxruntime") as raised:
        check_extra("onnx", tmp_path)
    assert raised.value.code == "package_missing"


def test_a_package_that_does_not_run_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("illegal instruction\nmore")

    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    with pytest.raises(CliprpnError, match=r"RuntimeError: illegal instruction$") as raised:
        check_extra("onnx", tmp_path)
    assert raised.value.code == "environment_broken"
