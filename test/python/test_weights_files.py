"""Weights in all supported formats are loaded; files that could run code are rejected."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import shipped_weights_id
from openai_clip import save_torchscript
from safetensors.torch import save_file
from torch import nn

from cliprpn.errors import CliprpnError
from cliprpn.storage import openai_weights, weights_files
from cliprpn.storage.state_files import State, read_state
from cliprpn.storage.weights_files import SHIPPED, load_backbone, tiny_config

OPENAI_SHA256 = "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"


@pytest.fixture(scope="module")
def state() -> State:
    return read_state(SHIPPED / "cliprpn-tiny.safetensors")


def prefixed(state: State, prefix: str) -> State:
    return {f"{prefix}{key}": value for key, value in state.items()}


def without_pool(state: State) -> State:
    return {key: value for key, value in state.items() if "visual.attnpool." not in key}


EXTRA = {key: torch.tensor(224) for key in ("input_resolution", "context_length", "vocab_size")}
GOOD: dict[str, Callable[[State], Any]] = {
    "plain": lambda state: state,
    "single precision": lambda state: {
        key: value.float() if value.is_floating_point() else value for key, value in state.items()
    },
    "OpenAI's extra entries": lambda state: state | EXTRA,
    "inside state_dict": lambda state: {"epoch": 3, "state_dict": prefixed(state, "module.")},
    "a checkpoint of ClipRPN (Trento)": lambda state: (
        prefixed(without_pool(state), "clipModel.") | {"fusion_module.linear1.weight": torch.zeros(2, 2)}
    ),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("kind", GOOD)
def test_every_format_gives_the_same_backbone(state: State, tmp_path: Path, kind: str, legacy: bool) -> None:
    path = tmp_path / "weights.pt"
    torch.save(GOOD[kind](state), path, _use_new_zipfile_serialization=not legacy)
    backbone = load_backbone("cliprpn-tiny", str(path))
    expected = load_backbone("cliprpn-tiny", "shipped")
    loaded = backbone.state_dict()
    required = without_pool(dict(expected.state_dict()))
    assert all(torch.equal(loaded[key], value) for key, value in required.items())
    assert all(value.dtype == torch.float32 for value in loaded.values() if value.is_floating_point())
    assert backbone.has_attention_pool == (kind != "a checkpoint of ClipRPN (Trento)")
    assert backbone.weights_id == hashlib.sha256(path.read_bytes()).hexdigest()


def test_safetensors_files_are_loaded(state: State, tmp_path: Path) -> None:
    save_file(state, tmp_path / "weights.safetensors")
    backbone = load_backbone("cliprpn-tiny", str(tmp_path / "weights.safetensors"))
    assert torch.equal(backbone.clip.text_projection, state["text_projection"].float())
    assert load_backbone("cliprpn-tiny", "shipped").weights_id == shipped_weights_id()


def load_error(path: Path, name: str = "cliprpn-tiny") -> CliprpnError:
    with pytest.raises(CliprpnError) as caught:
        load_backbone(name, str(path))
    assert str(path) in caught.value.message
    assert len(caught.value.message) < 700, "the message is too long"
    return caught.value


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the file with this SHA-256 the one that OpenAI publishes."""

    def set_hash(digest: str) -> None:
        url = f"https://example.org/clip/models/{digest}/RN50.pt"
        monkeypatch.setattr(openai_weights, "get_pretrained_cfg", lambda *args: {"url": url})

    return set_hash


@pytest.fixture
def jit_loads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An entry for every archive that torch.jit loads."""
    loads: list[int] = []
    load = torch.jit.load
    monkeypatch.setattr(
        torch.jit, "load", lambda *args, **kwargs: (loads.append(1), load(*args, **kwargs))[1]
    )
    return loads


def test_a_torchscript_archive_is_loaded_only_if_it_is_openais(
    state: State, tmp_path: Path, publish: Callable[[str], None], jit_loads: list[int]
) -> None:
    path = tmp_path / "archive.pt"
    digest = save_torchscript(state | EXTRA, path)
    error = load_error(path)
    assert error.code == "weights_unsafe" and digest in error.message
    assert "torch.jit.load" in error.message and jit_loads == []

    publish(digest)
    backbone = load_backbone("cliprpn-tiny", str(path))
    assert jit_loads == [1] and backbone.weights_id == digest
    assert torch.equal(backbone.clip.text_projection, state["text_projection"].float())


@pytest.mark.parametrize("form", ["TorchScript", "state_dict", "cut", "empty"])
def test_a_file_named_like_openais_with_another_hash_is_refused(
    state: State, tmp_path: Path, jit_loads: list[int], form: str
) -> None:
    path = tmp_path / "RN50.pt"
    if form == "TorchScript":
        save_torchscript(state, path)
    else:
        torch.save(state, path)
        path.write_bytes(
            {"state_dict": path.read_bytes(), "cut": path.read_bytes()[:-100], "empty": b""}[form]
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    error = load_error(path)
    assert error.code == "weights_mismatch"
    assert found in error.message and OPENAI_SHA256 in error.message
    assert "https://openaipublic.azureedge.net/" in error.message and "another name" in error.message
    assert jit_loads == []


def test_the_hash_of_openais_rn50_is_known() -> None:
    assert openai_weights.openai_sha256() == OPENAI_SHA256
    assert openai_weights.openai_url().endswith(f"/{OPENAI_SHA256}/RN50.pt")
    assert openai_weights.content_id("openai") == OPENAI_SHA256 and openai_weights.content_id("a") == "a"


def test_openai_is_the_file_that_openai_publishes_and_no_other(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publish: Callable[[str], None]
) -> None:
    file = tmp_path / "RN50.pt"
    digest = save_torchscript(state, file)
    monkeypatch.setattr(openai_weights, "download_pretrained_from_url", lambda url: str(file))
    monkeypatch.setattr(weights_files, "rn50_config", tiny_config)
    with pytest.raises(CliprpnError, match=digest) as caught:
        load_backbone("RN50-quickgelu", "openai")
    assert caught.value.code == "weights_mismatch" and OPENAI_SHA256 in caught.value.message
    publish(digest)
    backbone = load_backbone("RN50-quickgelu", "openai")
    assert backbone.weights_id == "openai"
    assert torch.equal(backbone.clip.text_projection, state["text_projection"].float())


class Runs:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("form", ["zip", "legacy", "bare pickle"])
def test_a_file_with_code_is_rejected_and_not_run(state: State, tmp_path: Path, form: str) -> None:
    path, ran = tmp_path / "evil.pt", tmp_path / "ran"
    content = {**state, "extra": Runs(f"touch {ran}")}
    if form == "bare pickle":
        path.write_bytes(pickle.dumps({"extra": Runs(f"touch {ran}")}))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    assert load_error(path).code == "weights_unsafe"
    assert not ran.exists()


def test_a_pickled_model_is_rejected(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "model.pt")
    assert load_error(tmp_path / "model.pt").code == "weights_unsafe"


def without(state: State, key: str) -> State:
    return {name: value for name, value in state.items() if name != key}


WRONG: dict[str, tuple[Callable[[State], State], list[str]]] = {
    "a ViT": (
        lambda state: {"visual.class_embedding": torch.zeros(8), "visual.proj": torch.zeros(8, 8)},
        ["cliprpn-tiny", "missing", "visual.conv1.weight", "unknown visual.class_embedding"],
    ),
    "deeper": (
        lambda state: state | {"visual.layer1.1.conv1.weight": torch.zeros(16, 64, 1, 1)},
        ["unknown visual.layer1.1.conv1.weight"],
    ),
    "wider": (
        lambda state: state | {"visual.conv1.weight": torch.zeros(32, 3, 3, 3)},
        ["size mismatch", "visual.conv1.weight of shape [32, 3, 3, 3] instead of [8, 3, 3, 3]"],
    ),
    "one missing": (
        lambda state: without(state, "visual.layer2.0.bn1.running_var"),
        ["missing visual.layer2.0.bn1.running_var"],
    ),
    "half an attention pool": (
        lambda state: without(state, "visual.attnpool.c_proj.bias"),
        ["missing visual.attnpool.c_proj.bias"],
    ),
    "whole numbers": (
        lambda state: state | {"text_projection": state["text_projection"].to(torch.int8)},
        ["text_projection of torch.int8"],
    ),
    "NaN": (
        lambda state: state | {"ln_final.bias": torch.full_like(state["ln_final.bias"], float("nan"))},
        ["NaN or infinite: ln_final.bias"],
    ),
    "the names of transformers": (
        lambda state: {f"text_model.{key}": value for key, value in state.items()},
        ["missing", "unknown text_model.", "names of transformers", "open_clip_model.safetensors"],
    ),
    "no text": (
        lambda state: {key: value for key, value in state.items() if key.startswith("visual.")},
        ["missing", "positional_embedding"],
    ),
    "nothing": (lambda state: {}, ["missing"]),
}
SAVED: dict[str, Callable[[State, Path], object]] = {
    "other.pt": torch.save,
    "other.safetensors": save_file,
    "archive.pt": save_torchscript,
}


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("kind", WRONG)
def test_the_error_names_wrong_entries_in_every_format(
    state: State, tmp_path: Path, publish: Callable[[str], None], kind: str, name: str
) -> None:
    make, expected = WRONG[kind]
    path = tmp_path / name
    SAVED[name](make(state), path)
    if name == "archive.pt":
        publish(hashlib.sha256(path.read_bytes()).hexdigest())
    error = load_error(path)
    assert error.code == "weights_mismatch"
    assert [part for part in expected if part not in error.message] == [], error.message


def test_a_size_that_no_memory_has_is_refused(state: State, tmp_path: Path) -> None:
    huge = torch.zeros(1, dtype=torch.float16).expand(2**45)  # Two bytes in the file.
    torch.save(state | {"ln_final.bias": huge}, tmp_path / "huge.pt")
    error = load_error(tmp_path / "huge.pt")
    assert error.code == "weights_mismatch" and "ln_final.bias of shape [35184372088832]" in error.message


ODD: dict[str, Callable[[State], object]] = {
    "numbers as names": lambda state: dict(enumerate(state.values())),
    "sparse": lambda state: state | {"ln_final.bias": torch.zeros(48).to_sparse()},
    "without content": lambda state: state | {"ln_final.bias": torch.empty(48, device="meta")},
    "quantized": lambda state: (
        state | {"ln_final.bias": torch.quantize_per_tensor(torch.zeros(48), 1.0, 0, torch.quint8)}
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ODD)
def test_tensors_that_are_no_plain_numbers_are_refused(state: State, tmp_path: Path, kind: str) -> None:
    torch.save(ODD[kind](state), tmp_path / "odd.pt")
    assert load_error(tmp_path / "odd.pt").code in ("weights_mismatch", "weights_unsafe")


def test_weights_of_another_backbone_are_rejected() -> None:
    error = load_error(SHIPPED / "cliprpn-tiny.safetensors", "RN50-quickgelu")
    assert error.code == "weights_mismatch" and "RN50-quickgelu" in error.message


def archive_with_a_broken_name() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("é/data.pkl", b"")
    return content.getvalue().replace(b"\xc3\xa9", b"\xc3\xff")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("name.pt", archive_with_a_broken_name()),
        ("empty.pt", b""),
        ("text.pt", b"hello world"),
        ("zip.pt", b"PK\x03\x04 and no more"),
        ("pickle.pt", b"\x80\x02}q\x00."),
        ("list.pt", None),
        ("empty.safetensors", b""),
        ("text.safetensors", b"hello world, this is no header"),
        ("cut.safetensors", (SHIPPED / "cliprpn-tiny.safetensors").read_bytes()[:5000]),
    ],
)
def test_broken_files_are_reported(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is None:
        torch.save([torch.zeros(2)], path)
    else:
        path.write_bytes(content)
    assert load_error(path).code == "weights_mismatch"


def test_the_error_for_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    error = load_error(tmp_path / "none.pt")
    assert error.code == "weights_missing"
    assert "`openai`" in error.message and "`shipped`" in error.message


def test_the_error_without_a_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: Any, **kwargs: Any) -> SimpleNamespace:
        raise OSError("no route to host")

    monkeypatch.setattr(openai_weights, "download_pretrained_from_url", offline)
    with pytest.raises(CliprpnError, match="no route to host") as caught:
        load_backbone("RN50-quickgelu", "openai")
    assert caught.value.code == "weights_missing" and "backbone.weights" in caught.value.message
    with pytest.raises(CliprpnError, match="`shipped`"):
        load_backbone("cliprpn-tiny", "openai")
