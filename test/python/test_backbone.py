"""The backbone equals an independent forward pass, and stays frozen."""

from __future__ import annotations

import copy
import hashlib

import pytest
import torch
from openai_clip import MEAN, STD, Layout, as_half, image_map, random_state, text_outputs
from torch import nn
from torch.nn import functional

from cliprpn.models.backbone import ClipBackbone
from cliprpn.models.folding import fold_batch_norm
from cliprpn.storage.weights_files import SHIPPED, load_backbone, read_state, tiny_config

SENTENCES = ["a dog", "the second man from the left, behind the table", ""]
# Float32 through fifty convolutions or twelve blocks, with sums in another order. Values are around 0.03 in a
# sentence's vector (1024 values, length 1) and around 1 in a word's.
POOLED = {"rtol": 1e-4, "atol": 3e-6}
WORDS = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(scope="module")
def rn50(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClipBackbone, dict[str, torch.Tensor], str]:
    """RN50 loaded from a float16 state_dict with OpenAI's names; the same weights as float32; the file's SHA-256."""
    state = as_half(random_state(Layout()))
    path = tmp_path_factory.mktemp("weights") / "RN50-state.pt"
    torch.save(state, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    backbone = load_backbone("RN50-quickgelu", str(path))
    path.unlink()  # 200 MB.
    return backbone, {key: value.float() for key, value in state.items()}, digest


def test_the_rn50_feature_map_equals_the_independent_one(rn50) -> None:
    backbone, state, _ = rn50
    pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    expected = image_map(state, pixels)
    assert expected.shape == (1, 2048, 7, 7) and 0.05 < expected.std() < 50
    torch.testing.assert_close(
        backbone.feature_map(pixels), expected, rtol=1e-4, atol=1e-4 * float(expected.max())
    )
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


@pytest.fixture(scope="module")
def tiny() -> ClipBackbone:
    return load_backbone("cliprpn-tiny", "shipped")


def test_the_backbone_stays_frozen_inside_a_training_module(tiny: ClipBackbone) -> None:
    backbone = tiny
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    parent = nn.Sequential(backbone, nn.BatchNorm2d(4))
    parent.train()
    assert parent[1].training and not any(module.training for module in backbone.modules())
    with torch.enable_grad():
        feature_map = backbone.feature_map(torch.rand(4, 3, 64, 64))
        pooled, words, _ = backbone.encode_text(backbone.tokenize(SENTENCES))
    assert not (feature_map.requires_grad or pooled.requires_grad or words.requires_grad)
    assert not any(parameter.requires_grad for parameter in parent[0].parameters())
    assert any(key.endswith("num_batches_tracked") for key in before)
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())


def test_rows_are_cut_to_the_longest_sentence_without_changing_the_vectors(tiny: ClipBackbone) -> None:
    alone, words_alone, _ = tiny.encode_text(tiny.tokenize(["a dog"]))
    batched, words_batched, _ = tiny.encode_text(tiny.tokenize(["a dog", "word " * 60]))
    assert (words_alone.shape[1], words_batched.shape[1]) == (4, 62)
    torch.testing.assert_close(alone[0], batched[0], **POOLED)
    torch.testing.assert_close(words_alone[0], words_batched[0, :4], **WORDS)


def test_a_long_sentence_is_truncated_and_keeps_its_end_token(tiny: ClipBackbone) -> None:
    tokens = tiny.tokenize(["word " * 200])
    assert tokens.shape == (1, 77) and tokens[0, -1] == 49407
    assert tiny.encode_text(tokens)[2].sum() == 77


def test_the_shipped_backbone_equals_the_independent_one(tiny: ClipBackbone) -> None:
    state = {key: value.float() for key, value in read_state(SHIPPED / "cliprpn-tiny.safetensors").items()}
    pixels = torch.rand(2, 3, 96, 96)
    rescaled = (pixels - tiny.mean) / tiny.std * STD + MEAN  # cliprpn-tiny has another mean and deviation.
    expected = image_map(state, rescaled)
    torch.testing.assert_close(
        tiny.feature_map(pixels), expected, rtol=1e-4, atol=1e-4 * float(expected.max())
    )
    tokens = tiny.tokenize(SENTENCES)
    pooled, _ = text_outputs(state, tokens, num_heads=tiny_config().text_cfg["heads"])
    torch.testing.assert_close(tiny.encode_text(tokens)[0], functional.normalize(pooled, dim=1), **WORDS)


def test_folding_batch_norm_keeps_the_function(rn50, tiny: ClipBackbone) -> None:
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    for backbone in (rn50[0], tiny):
        folded = copy.deepcopy(backbone)
        fold_batch_norm(folded)
        assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
        torch.testing.assert_close(folded.encode_image(pixels), backbone.encode_image(pixels), **POOLED)
