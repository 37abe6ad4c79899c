"""OpenAI's RN50: where it is published, and whether a file is it, by its SHA-256."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

import torch
from open_clip.pretrained import download_pretrained_from_url, get_pretrained_cfg

from cliprpn.errors import CliprpnError
from cliprpn.storage.state_files import State

# The same tensors in float32: open_clip_model.safetensors of timm/resnet50_clip.openai, revision ec3d92cf.
HUGGING_FACE_SHA256 = "da0baa37fb2211eee5729ab69ed587eb10d48f5b7076ceeed01552fc3d4cb4ee"
_HUGGING_FACE_NAME = "open_clip_model.safetensors of timm/resnet50_clip.openai on Hugging Face"


def download_openai() -> Path:
    """RN50.pt, kept by open_clip in ~/.cache/clip; downloaded if it is not there or has another SHA-256.

    open_clip itself prefers a copy on Hugging Face, of any revision, and does not compare a SHA-256.

    Raises:
        CliprpnError: weights_missing.
    """
    try:
        return Path(download_pretrained_from_url(openai_url()))
    except Exception as error:
        raise CliprpnError(
            "weights_missing",
            f"could not download OpenAI's RN50 from {openai_url()} ({type(error).__name__}: {error}); without a "
            "network, put RN50.pt into ~/.cache/clip, or set backbone.weights to the path of a copy, or of "
            f"{_HUGGING_FACE_NAME}",
        ) from error


def read_openai_archive(path: Path) -> State:
    """The tensors of RN50.pt, a TorchScript archive, which is loaded only if it is OpenAI's.

    Raises:
        CliprpnError: weights_mismatch.
    """
    content = path.read_bytes()  # Read once: what is loaded is what was hashed.
    digest = hashlib.sha256(content).hexdigest()
    if digest != openai_sha256():
        raise _other_file(path, digest)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit")  # Deprecated, but the format of this file.
        return dict(torch.jit.load(io.BytesIO(content), map_location="cpu").state_dict())


def refuse_wrong_copy(path: Path, digest: str) -> None:
    """Refuses a file with the name of OpenAI's, but other bytes: a broken download, or other weights.

    Raises:
        CliprpnError: weights_mismatch.
    """
    if path.name.lower() == _openai_name().lower() and digest != openai_sha256():
        raise _other_file(path, digest)


def published_name(digest: str) -> str | None:
    """The name of the published file with this SHA-256; None for any other file."""
    names = {openai_sha256(): f"OpenAI's {_openai_name()}", HUGGING_FACE_SHA256: _HUGGING_FACE_NAME}
    return names.get(digest)


def content_id(weights_id: str) -> str:
    """The SHA-256 of the weights with this id; the id of OpenAI's is a name."""
    return openai_sha256() if weights_id == "openai" else weights_id


def openai_sha256() -> str:
    """SHA-256 of OpenAI's RN50.pt, which is part of its published address."""
    return openai_url().split("/")[-2]


def openai_url() -> str:
    """Where OpenAI publishes RN50.pt."""
    return str(get_pretrained_cfg("RN50-quickgelu", "openai")["url"])


def _openai_name() -> str:
    return openai_url().split("/")[-1]


def _other_file(path: Path, digest: str) -> CliprpnError:
    return CliprpnError(
        "weights_mismatch",
        f"{path}: expected OpenAI's {_openai_name()}, SHA-256 {openai_sha256()}, found {digest} "
        f"({path.stat().st_size:,} bytes); download it again from {openai_url()}, or, if these are other weights, "
        "give the file another name",
    )
