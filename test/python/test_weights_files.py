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
from safetensors.torch import save_file
from torch import Tensor, nn

from cliprpn.errors import CliprpnError
from cliprpn.storage import weights_files
from cliprpn.storage.weights_files import SHIPPED, load_backbone, read_state

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    return read_state(SHIPPED / "cliprpn-tiny.safetensors")


class Script(nn.Module):
    """Saves a state with its names in a TorchScript archive, like OpenAI's."""

    def __init__(self, state: State) -> None:
        super().__init__()
        for name, value in state.items():
            *path, last = name.split(".")
            parent: nn.Module = self
            for part in path:
                if not hasattr(parent, part):
                    parent.add_module(part, nn.Module())
                parent = getattr(parent, part)
            parent.register_buffer(last, value)

    def forward(self, values: Tensor) -> Tensor:
        return values


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


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_torchscript_archive_is_loaded_only_if_it_is_openais(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "RN50.pt"
    torch.jit.save(torch.jit.script(Script(state)), path)
    loaded = []
    load = torch.jit.load
    monkeypatch.setattr(
        torch.jit, "load", lambda *args, **kwargs: (loaded.append(1), load(*args, **kwargs))[1]
    )
    assert load_error(path).code == "weights_unsafe"
    assert "safetensors" in load_error(path).message and loaded == []

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    table = {"url": f"https://example.org/clip/models/{digest}/RN50.pt"}
    monkeypatch.setattr(weights_files, "get_pretrained_cfg", lambda *args: table)
    backbone = load_backbone("cliprpn-tiny", str(path))
    assert loaded == [1]
    assert torch.equal(backbone.clip.text_projection, state["text_projection"].float())


def test_open_clip_knows_the_hash_of_openais_rn50() -> None:
    url = weights_files.get_pretrained_cfg("RN50-quickgelu", "openai")["url"]
    assert "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762" in url.split("/")


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
        ["size mismatch", "visual.conv1.weight"],
    ),
    "no text": (
        lambda state: {key: value for key, value in state.items() if key.startswith("visual.")},
        ["missing", "positional_embedding"],
    ),
    "nothing": (lambda state: {}, ["missing"]),
}


@pytest.mark.parametrize("kind", WRONG)
def test_the_error_names_wrong_entries_of_other_architectures(
    state: State, tmp_path: Path, kind: str
) -> None:
    make, expected = WRONG[kind]
    torch.save(make(state), tmp_path / "other.pt")
    error = load_error(tmp_path / "other.pt")
    assert error.code == "weights_mismatch"
    assert [part for part in expected if part not in error.message] == [], error.message


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

    monkeypatch.setattr(weights_files.open_clip, "create_model", offline)
    with pytest.raises(CliprpnError, match="no route to host") as caught:
        load_backbone("RN50-quickgelu", "openai")
    assert caught.value.code == "weights_missing" and "backbone.weights" in caught.value.message
    with pytest.raises(CliprpnError, match="`shipped`"):
        load_backbone("cliprpn-tiny", "openai")
