"""Pickles of plain values are read; nothing in any other is ever run."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cliprpn.data.unpickler import clean_text, load_plain
from cliprpn.errors import CliprpnError


class Calls:
    """Pickles as a call of something with arguments."""

    def __init__(self, called: Callable[..., Any], *arguments: Any) -> None:
        self.called, self.arguments = called, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.called, self.arguments


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_are_read_from_any_protocol(tmp_path: Path, protocol: int) -> None:
    value = [{"ref_id": 1, "box": (0.5, 2**40, -1), "sent": "é", "none": None, "yes": True, "bytes": b"\xff"}]
    if protocol < 3:
        value[0].pop("bytes")  # Python 3 writes bytes by a call of codecs.encode there.
    assert load_plain(written(tmp_path / "p", pickle.dumps(value, protocol))) == value


def test_python_2s_text_is_read_whether_utf8_or_latin1(tmp_path: Path) -> None:
    # What Python 2 wrote for [u'caf\xe9', 'caf\xc3\xa9', 'caf\xe9', 12L], protocols 0 and 2.
    old = b"(lp0\nVcaf\xe9\np1\naS'caf\\xc3\\xa9'\np2\naS'caf\\xe9'\np3\naL12L\na."
    new = b"\x80\x02]q\x00(X\x05\x00\x00\x00caf\xc3\xa9q\x01U\x05caf\xc3\xa9q\x02U\x04caf\xe9q\x03\x8a\x01\x0ce."
    for content in (old, new):
        *texts, number = load_plain(written(tmp_path / "p", content))
        assert [clean_text(text) for text in texts] == ["café"] * 3
        assert number == 12


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("called", "named"), [(os.system, f"{os.name}.system"), (eval, "eval"), (__import__, "__import__")]
)
def test_a_call_is_refused_by_name_and_not_made(
    tmp_path: Path, called: Callable[..., Any], named: str, protocol: int
) -> None:
    ran = tmp_path / "ran"
    argument = f"touch {ran}" if called is os.system else f"open({str(ran)!r}, 'w')"
    content = pickle.dumps([Calls(called, argument)], protocol)
    with pytest.raises(CliprpnError) as caught:
        load_plain(written(tmp_path / "evil.p", content))
    assert caught.value.code == "data_invalid"
    assert named in caught.value.message and "evil.p" in caught.value.message
    assert not ran.exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"cos\nsystem\n(S'touch ran'\ntR.", "os.system"),
        (b"(S'touch ran'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'touch ran'\no.", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x09touch ran\x85R.", "os.system"),
        (b"\x80\x02cos\nsystem\nU\x09touch ran\x85\x81.", "os.system"),
        (b"cnot_a_module\nthing\n.", "not_a_module.thing"),
        (pickle.dumps(np.zeros(3)), "numpy"),
        (pickle.dumps(np.float64(1.0)), "numpy"),
        (b"Pelsewhere\n.", "persistent id"),
        (b"\x80\x02\x82\xf0.", "extension"),
    ],
)
def test_every_way_to_a_class_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CliprpnError) as caught:
        load_plain(written(tmp_path / "evil.p", content))
    assert named in caught.value.message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"{}",
        b"\x80\x05",
        pickle.dumps([1, 2, 3])[:-2],
        b"\x80\xff.",
        b"0.",
        b"\x8e" + b"\x7f" * 8,
    ],
)
def test_what_is_no_pickle_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CliprpnError) as caught:
        load_plain(written(tmp_path / "broken.p", content))
    assert caught.value.code == "data_invalid"
    assert "broken.p" in caught.value.message
