"""CLIP RN50 with OpenAI's names, shapes and formats, and random weights: equals an independent forward pass."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from openai_clip import (
    POOLED,
    WORDS,
    Layout,
    State,
    as_half,
    image_map,
    pooled_image,
    random_state,
    save_torchscript,
    text_outputs,
)
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from cliprpn.models.backbone import ClipBackbone
from cliprpn.models.folding import fold_batch_norm
from cliprpn.storage import openai_weights
from cliprpn.storage.weights_files import load_backbone

SENTENCES = ["a dog", "the second man from the left, behind the table", ""]


@pytest.fixture(scope="module")
def state() -> State:
    """Weights in float16, with the three entries of OpenAI's archive that are no weights."""
    return as_half(random_state(Layout()))


@pytest.fixture(scope="module")
def rn50(
    state: State, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ClipBackbone, dict[str, torch.Tensor], str]:
    """RN50 loaded from a TorchScript archive like OpenAI's; the same weights as float32; the file's SHA-256."""
    path = tmp_path_factory.mktemp("weights") / "RN50.pt"
    digest = save_torchscript(state, path)
    with pytest.MonkeyPatch.context() as patch:
        url = f"https://example.org/{digest}/RN50.pt"
        patch.setattr(openai_weights, "get_pretrained_cfg", lambda *args: {"url": url})
        backbone = load_backbone("RN50-quickgelu", str(path))
    path.unlink()  # 200 MB.
    return backbone, {key: value.float() for key, value in state.items()}, digest


def test_the_state_has_the_published_number_of_parameters(state: State) -> None:
    other = (
        "running_mean",
        "running_var",
        "num_batches_tracked",
        "resolution",
        "context_length",
        "vocab_size",
    )
    assert sum(value.numel() for key, value in state.items() if not key.endswith(other)) == 102_007_137


@pytest.mark.parametrize("name", ["state.pt", "state.safetensors"])
def test_every_format_gives_the_same_features_to_the_bit(
    rn50, state: State, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    if name == "state.pt":
        torch.save(state, path)
    else:
        save_file(state, path)
    backbone, expected = load_backbone("RN50-quickgelu", str(path)), rn50[0]
    path.unlink()
    loaded = backbone.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in expected.state_dict().items())
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    assert torch.equal(backbone.feature_map(pixels), expected.feature_map(pixels))
    tokens = backbone.tokenize(SENTENCES)
    for ours, theirs in zip(backbone.encode_text(tokens), expected.encode_text(tokens), strict=True):
        assert torch.equal(ours, theirs)
    assert backbone.weights_id != expected.weights_id  # Known by the file that was loaded.


def test_the_rn50_feature_map_and_image_embedding_equal_the_independent_ones(rn50) -> None:
    backbone, state, _ = rn50
    pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    expected = image_map(state, pixels)
    assert expected.shape == (1, 2048, 7, 7) and 0.05 < expected.std() < 50
    torch.testing.assert_close(
        backbone.feature_map(pixels), expected, rtol=1e-4, atol=1e-4 * float(expected.max())
    )
    pooled = pooled_image(state, expected, num_heads=32)
    torch.testing.assert_close(backbone.encode_image(pixels), functional.normalize(pooled, dim=1), **POOLED)
    assert backbone.feature_map(torch.rand(1, 3, 96, 64)).shape == (1, 2048, 3, 2)


def test_rn50_sentence_and_word_vectors_equal_the_independent_ones(rn50) -> None:
    backbone, state, _ = rn50
    tokens = backbone.tokenize(SENTENCES)
    assert tokens[0, :4].tolist() == [49406, 320, 1929, 49407]  # OpenAI's tokens for "a dog"
    expected, expected_words = text_outputs(state, tokens, num_heads=8)
    pooled, words, mask = backbone.encode_text(tokens)
    assert mask.sum(dim=1).tolist() == [4, 12, 2]
    torch.testing.assert_close(pooled, functional.normalize(expected, dim=1), **POOLED)
    torch.testing.assert_close(words[mask], expected_words[:, : words.shape[1]][mask], **WORDS)


def test_quickgelu_matters(rn50) -> None:
    backbone, state, _ = rn50
    tokens = backbone.tokenize(SENTENCES)
    gelu, gelu_words = text_outputs(state, tokens, num_heads=8, activation=functional.gelu)
    pooled, words, mask = backbone.encode_text(tokens)
    assert (pooled - functional.normalize(gelu, dim=1)).abs().max() > 100 * POOLED["atol"]
    assert (words[mask] - gelu_words[:, : words.shape[1]][mask]).abs().max() > 100 * WORDS["atol"]


def test_sizes_and_weights_id(rn50) -> None:
    backbone, _, digest = rn50
    assert (backbone.map_channels, backbone.pooled_dim, backbone.word_dim) == (2048, 1024, 512)
    assert backbone.has_attention_pool
    assert backbone.weights_id == digest


def test_folding_batch_norm_keeps_the_function_of_rn50(rn50) -> None:
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    folded = copy.deepcopy(rn50[0])
    fold_batch_norm(folded)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(folded.encode_image(pixels), rn50[0].encode_image(pixels), **POOLED)
