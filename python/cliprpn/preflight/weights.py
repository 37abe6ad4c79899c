"""Whether the weights of CLIP are those that were published, by their SHA-256."""

from __future__ import annotations

import json
from pathlib import Path

from cliprpn.contract.generated import PreflightFinding, TrialBackbone
from cliprpn.errors import CliprpnError
from cliprpn.preflight.finding import failed, not_checked, passed
from cliprpn.storage.openai_weights import download_openai, openai_sha256, published_name
from cliprpn.storage.state_files import sha256_of
from cliprpn.storage.weights_files import SHIPPED, load_backbone


def check_weights(backbone: TrialBackbone) -> PreflightFinding:
    """Loads the weights, and compares the file's SHA-256 with the published one.

    Raises:
        CliprpnError: weights_missing, weights_unsafe, weights_mismatch.
    """
    loaded = load_backbone(backbone.name, backbone.weights)
    if loaded.weights_id != backbone.weights_id:
        raise CliprpnError(
            "weights_mismatch",
            f"{backbone.weights}: the weights have changed since the experiment was read: expected "
            f"{backbone.weights_id}, found {loaded.weights_id}; re-run the same command",
        )
    path = weights_path(backbone)
    digest = sha256_of(path)
    what = f"{path.name}, SHA-256 {digest}"
    if backbone.weights == "shipped":
        expected = json.loads((SHIPPED / f"{backbone.name}.json").read_text())["sha256"]
        if digest == expected:
            return passed(f"{backbone.name} as shipped with cliprpn: {what}")
        return failed(
            f"{path}: expected the shipped weights, SHA-256 {expected}, found {digest}",
            "install cliprpn again",
        )
    published = published_name(digest)
    if published is not None:
        return passed(f"{published}, as published: {what}")
    pool = "" if loaded.has_attention_pool else "; without CLIP's attention pool, so crops cannot be encoded"
    return not_checked(
        f"{what} is not a published file: its tensors load as {backbone.name}, but nothing here says whose they are"
        f"{pool}; OpenAI's RN50.pt has {openai_sha256()}"
    )


def weights_path(backbone: TrialBackbone) -> Path:
    """The file that the weights were loaded from; for `openai`, the download."""
    if backbone.weights == "openai":
        return download_openai()
    if backbone.weights == "shipped":
        return SHIPPED / f"{backbone.name}.safetensors"
    return Path(backbone.weights)
