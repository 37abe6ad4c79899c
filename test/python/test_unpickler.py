"""Pickles of plain values are loaded; no pickle ever runs code."""

from __future__ import annotations

import os
import pickle
import time
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cliprpn.data.plain_pickle import check_expanded_size, clean_text, load_plain
from cliprpn.errors import CliprpnError


class Calls:
    """An object that is pickled as a call with arguments."""

    def __init__(self, called: Callable[..., Any], *arguments: Any) -> None:
        self.called, self.arguments = called, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.called, self.arguments


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_are_loaded_from_any_protocol(tmp_path: Path, protocol: int) -> None:
    value = [{"ref_id": 1, "box": (0.5, 2**40, -1), "sent": "é", "none": None, "yes": True, "bytes": b"\xff"}]
    if protocol < 3:
        value[0].pop("bytes")  # There, Python 3 pickles bytes as a call of codecs.encode.
    assert load_plain(written(tmp_path / "p", pickle.dumps(value, protocol))) == value


def test_python_2_text_is_decoded_from_utf8_or_latin1(tmp_path: Path) -> None:
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
def test_a_call_is_rejected_by_name_and_not_run(
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
def test_every_opcode_that_names_a_class_is_rejected(
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
def test_a_broken_pickle_is_reported(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CliprpnError) as caught:
        load_plain(written(tmp_path / "broken.p", content))
    assert caught.value.code == "data_invalid"
    assert "broken.p" in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        b"(dp0\nS'ref_id'\np1\nI7\nsS'box'\np2\n(F0.5\nL12345678901234567890L\ntp3\nsS'ok'\nI01\ns.",
        b"}q\x00(U\x06ref_idq\x01K\x07U\x03boxq\x02(G?\xe0\x00\x00\x00\x00\x00\x00"
        b"L12345678901234567890L\ntq\x03U\x02okI01\nu.",
        b"\x80\x02}q\x00(U\x06ref_idq\x01K\x07U\x03boxq\x02G?\xe0\x00\x00\x00\x00\x00\x00"
        b"\x8a\x09\xd2\x0a\x1f\xeb\x8c\xa9\x54\xab\x00\x86q\x03U\x02ok\x88u.",
    ],
)
def test_python_2_pickles_are_loaded(tmp_path: Path, content: bytes) -> None:
    value = load_plain(written(tmp_path / "p", content))
    assert value == {"ref_id": 7, "box": (0.5, 12345678901234567890), "ok": True}


@pytest.mark.parametrize("protocol", range(4, pickle.HIGHEST_PROTOCOL + 1))
def test_sets_are_loaded(tmp_path: Path, protocol: int) -> None:
    value = {"a": {1, 2}, "b": frozenset(["x"])}
    assert load_plain(written(tmp_path / "p", pickle.dumps(value, protocol))) == value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_shared_values_stay_shared(tmp_path: Path, protocol: int) -> None:
    shared = ["a"]
    first, second = load_plain(written(tmp_path / "p", pickle.dumps([shared, shared], protocol)))
    assert first == ["a"] and first is second


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_values_that_are_huge_when_expanded_are_rejected(tmp_path: Path, protocol: int) -> None:
    itself: list[Any] = [{}]
    itself[0]["self"] = itself
    sentences = [{"sent_id": i, "sent": "a"} for i in range(1000)]
    refs = [{"ref_id": i, "sentences": sentences} for i in range(50_000)]
    long = ["a" * 10_000_000] * 1000
    for value, named in (
        (itself, "itself"),
        (refs, "50,000,000 entries"),
        (long, "50,000,000 entries"),
    ):
        with pytest.raises(CliprpnError) as caught:
            load_plain(written(tmp_path / "p", pickle.dumps(value, protocol)))
        assert named in caught.value.message


@pytest.mark.parametrize(
    ("value", "protocol", "named"),
    [
        (OrderedDict(a=1), 2, "collections.OrderedDict"),
        (OrderedDict(a=1), 0, "collections.OrderedDict"),
        ({1, 2}, 2, "__builtin__.set"),
        (complex(1, 2), 4, "builtins.complex"),
        (bytearray(b"x"), 5, "a buffer of bytes"),
        (np.int64(3), 2, "numpy"),
        (Path("x"), 4, "pathlib"),
        (len, 3, "builtins.len"),
    ],
)
def test_other_values_are_rejected_by_name(tmp_path: Path, value: Any, protocol: int, named: str) -> None:
    with pytest.raises(CliprpnError) as caught:
        load_plain(written(tmp_path / "p", pickle.dumps([value], protocol)))
    assert caught.value.code == "data_invalid" and named in caught.value.message


def u8(number: int) -> bytes:
    return number.to_bytes(8, "little")


HOSTILE = {
    "a bytearray of a terabyte": (b"\x80\x05\x96" + u8(2**40) + b"abc.", "a buffer of bytes"),
    "text of a terabyte": (b"\x80\x04\x8d" + u8(2**40) + b"abc.", "a broken one"),
    "text longer than the file": (b"\x80\x04\x8d" + u8(2**64 - 1) + b"abc.", "a broken one"),
    "bytes of a terabyte": (b"\x80\x04\x8e" + u8(2**40) + b"abc.", "a broken one"),
    "Python 2's text of two gigabytes": (b"T\xff\xff\xff\x7fabc.", "a broken one"),
    "text of negative length": (b"T\xff\xff\xff\xffabc.", "a broken one"),
    "a number of two gigabytes": (b"\x80\x02\x8b\xff\xff\xff\x7fabc.", "a number of 2147483647 bytes"),
    "a number of negative length": (b"\x80\x02\x8b\xff\xff\xff\xffabc.", "a number of -1 bytes"),
    "a frame of a terabyte": (b"\x80\x04\x95" + u8(2**40) + b"]", "a broken one"),
    "an integer of a million digits": (b"I" + b"9" * 10**6 + b"\n.", "a number of 1000001 characters"),
    "a long of a million digits": (b"L" + b"9" * 10**6 + b"L\n.", "a number of"),
    "a float of a million digits": (b"F" + b"9" * 10**6 + b"\n.", "a number of"),
    "a reference of a million digits": (b"]p" + b"9" * 10**6 + b"\n.", "a number of"),
    "an undefined reference": (b"h\x07.", "a broken one"),
    "nested tuples as a key": (b"\x80\x02})" + b"2\x86" * 200 + b"K\x01s.", "a key of type tuple"),
    "nested tuples in a set": (b"\x80\x04\x8f()" + b"2\x86" * 200 + b"\x90.", "a key of type tuple"),
    "a key that collides": (b"\x80\x02}\x8a\x0a" + b"\x7f" * 10 + b"K\x01s.", "a key of type int"),
    "a list as a key": (b"}]K\x01s.", "a key of type list"),
    "a list used as a dict": (b"]K\x00K\x01s.", "a list used as a dict"),
    "text used as a list": (b"(Va\n(K\x01e.", "a str used as a list"),
    "a dict of three": (b"(K\x01K\x02K\x03d.", "a broken one"),
    "nested marks": (b"(" * 100_000, "more than 10,000"),
    "an object's state": (b"]}b.", "an object that is built"),
    "a call of text": (b"Vsystem\n(tR.", "an object that is built"),
    "an object of text": (b"Vsystem\n)\x81.", "an object that is built"),
    "an object of keywords": (b"Vsystem\n)}\x92.", "an object that is built"),
    "an old object": (b"(Vsystem\no.", "an object that is built"),
    "a persistent id": (b"\x80\x02K\x01Q.", "a persistent id"),
    "an extension": (b"\x80\x02\x84\x01\x00\x00\x00.", "an extension code"),
    "an out-of-band buffer": (b"\x80\x05\x97.", "a buffer of bytes"),
    "a class name with an escape sequence": (b"c\x1b[2Jos\nsystem\n.", "\\x1b[2Jos.system"),
    "a future protocol": (b"\x80\x06K\x01.", "a broken one"),
    "nothing on the stack": (b"a.", "a broken one"),
    "unclosed marks": (b"(((u.", "a broken one"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_malicious_pickle_is_rejected_with_little_processor_time_and_memory(
    tmp_path: Path, name: str
) -> None:
    content, named = HOSTILE[name]
    path = written(tmp_path / "hostile.p", content)
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(CliprpnError) as caught:
            load_plain(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == "data_invalid"
    assert named in caught.value.message and "hostile.p" in caught.value.message
    assert len(caught.value.message) < 500 + len(str(path)) and "\x1b" not in caught.value.message
    assert peak < 2**23 + 8 * len(content) and time.process_time() - started < 10


@pytest.mark.parametrize("opcode", [b"\x8f", b"\x94"])
def test_a_small_file_of_millions_of_entries_is_rejected(tmp_path: Path, opcode: bytes) -> None:
    content = b"\x80\x04]" + opcode * 2_000_000 + b"."  # Empty sets, or references to one list.
    with pytest.raises(CliprpnError, match="more empty containers and references"):
        load_plain(written(tmp_path / "hostile.p", content))


def test_a_huge_memo_index_needs_no_memory(tmp_path: Path) -> None:
    assert load_plain(written(tmp_path / "p", b"\x80\x02]r\xff\xff\xff\xff.")) == []


def test_values_that_repeat_shared_parts_too_often_are_rejected(tmp_path: Path) -> None:
    fine: list[Any] = [{"a": ("x", 1)}] * 1000
    check_expanded_size(fine, tmp_path)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    check_expanded_size(deep, tmp_path)
    many: Any = "a"
    for _ in range(60):
        many = {"left": many, "right": (many,)}
    long = ["a" * 10_000_000] * 1000
    itself: dict[str, Any] = {}
    itself["self"] = [itself]
    for value in (many, long, itself):
        with pytest.raises(CliprpnError):
            check_expanded_size(value, tmp_path)
