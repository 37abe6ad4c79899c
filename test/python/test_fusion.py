"""What the output of each fusion depends on, and what it must not depend on."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cliprpn.models import ClipRPN, ConcatenationFusion, CrossAttentionFusion, RpnRules, SwitchedFusion
from cliprpn.models.fusion.switched import attend, attention_bias
from cliprpn.models.head import flatten_head

CHANNELS, POOLED, WORD = 32, 12, 20
SWITCHES = [
    dict(zip(("text", "interaction", "coordinates"), chosen, strict=True))
    for chosen in product(("pooled", "words"), ("additive", "multiplicative"), ("off", "on"))
]
Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


def names(switches: dict[str, Any]) -> str:
    return "-".join(switches.values())


@pytest.fixture(autouse=True)
def seeded() -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def make_inputs(batch: int = 3, grid: int = 4, length: int = 6) -> Inputs:
    lengths = torch.arange(batch) % (length - 2) + 3
    mask = torch.arange(length) < lengths[:, None]
    words = torch.randn(batch, length, WORD) * mask[..., None]
    pooled = nn.functional.normalize(torch.randn(batch, POOLED), dim=1)
    return torch.randn(batch, CHANNELS, grid, grid), words, mask, pooled


def switched(switches: dict[str, Any]) -> SwitchedFusion:
    return SwitchedFusion(CHANNELS, POOLED, WORD, **switches).eval()


def all_fusions() -> list[Any]:
    fusions: list[Any] = [pytest.param(switched, switches, id=names(switches)) for switches in SWITCHES]
    for kind in (ConcatenationFusion, CrossAttentionFusion):
        fusions.append(
            pytest.param(lambda _, kind=kind: kind(CHANNELS, POOLED, WORD).eval(), {}, id=kind.__name__)
        )
    return fusions


@pytest.mark.parametrize(("make", "switches"), all_fusions())
class TestEveryFusion:
    def test_the_output_has_the_shape_of_the_feature_map(self, make, switches) -> None:
        fusion = make(switches)
        for batch, grid, length in ((1, 7, 4), (2, 10, 6), (5, 2, 20)):
            feature_map, words, mask, pooled = make_inputs(batch, grid, length)
            fused = fusion(feature_map, words, mask, pooled)
            assert fused.shape == feature_map.shape and fused.isfinite().all()

    def test_sentences_of_a_batch_do_not_mix(self, make, switches) -> None:
        fusion, (feature_map, words, mask, pooled) = make(switches), make_inputs()
        together = fusion(feature_map, words, mask, pooled)
        for row in range(3):
            alone = fusion(*(part[row : row + 1] for part in (feature_map, words, mask, pooled)))
            torch.testing.assert_close(alone[0], together[row], rtol=1e-4, atol=1e-5)  # other sums

    def test_padding_is_ignored(self, make, switches) -> None:
        fusion, (feature_map, words, mask, pooled) = make(switches), make_inputs()
        expected = fusion(feature_map, words, mask, pooled)
        noisy = torch.where(mask[..., None], words, torch.randn_like(words) * 50)
        torch.testing.assert_close(fusion(feature_map, noisy, mask, pooled), expected)
        longer = torch.cat([words, torch.randn(3, 4, WORD)], dim=1)
        more = torch.cat([mask, torch.zeros(3, 4, dtype=torch.bool)], dim=1)
        torch.testing.assert_close(fusion(feature_map, longer, more, pooled), expected, rtol=1e-4, atol=1e-5)

    def test_the_output_depends_on_the_sentence(self, make, switches) -> None:
        fusion, (feature_map, words, mask, pooled) = make(switches), make_inputs()
        other = fusion(feature_map, words.roll(1, dims=0), mask.roll(1, dims=0), pooled.roll(1, dims=0))
        assert (other - fusion(feature_map, words, mask, pooled)).abs().max() > 1e-3

    def test_a_cell_depends_mainly_on_the_same_cell_of_the_image(self, make, switches) -> None:
        fusion, (feature_map, words, mask, pooled) = make(switches), make_inputs()
        changed = feature_map.clone()
        changed[:, :, 1, 2] += torch.randn(CHANNELS)
        difference = (
            (fusion(changed, words, mask, pooled) - fusion(feature_map, words, mask, pooled))
            .abs()
            .amax(dim=1)
        )
        assert (difference[:, 1, 2] > 1e-3).all()
        assert difference[:, 1, 2].min() > difference[:, 3, 0].max()


@pytest.mark.parametrize("switches", SWITCHES, ids=names)
class TestSwitches:
    def test_the_text_switch_selects_words_or_the_pooled_vector(self, switches: dict[str, Any]) -> None:
        fusion, (feature_map, words, mask, pooled) = switched(switches), make_inputs()
        expected = fusion(feature_map, words, mask, pooled)
        by_words = (fusion(feature_map, words.roll(1, dims=2), mask, pooled) - expected).abs().max()
        by_pooled = (fusion(feature_map, words, mask, pooled.roll(1, dims=1)) - expected).abs().max()
        assert (by_words > 1e-3) == (switches["text"] == "words")
        assert (by_pooled > 1e-3) == (switches["text"] == "pooled")
        assert min(by_words, by_pooled) == 0

    def test_the_order_of_words_does_not_matter(self, switches: dict[str, Any]) -> None:
        fusion, (feature_map, words, mask, pooled) = switched(switches), make_inputs()
        order = torch.tensor([2, 0, 1, 3, 4, 5])  # Each sentence has at least three words.
        shuffled = fusion(feature_map, words[:, order], mask, pooled)
        torch.testing.assert_close(shuffled, fusion(feature_map, words, mask, pooled), rtol=1e-4, atol=1e-5)

    def test_only_coordinates_distinguish_left_from_right(self, switches: dict[str, Any]) -> None:
        fusion, (feature_map, words, mask, pooled) = switched(switches), make_inputs()
        for side in (2, 3):
            mirrored = fusion(feature_map.flip(side), words, mask, pooled).flip(side)
            same = torch.allclose(mirrored, fusion(feature_map, words, mask, pooled), rtol=1e-4, atol=1e-5)
            assert same == (switches["coordinates"] == "off")

    def test_every_parameter_gets_a_gradient(self, switches: dict[str, Any]) -> None:
        if (switches["text"], switches["interaction"]) == ("pooled", "additive"):
            pytest.skip("the cell has no query there, so its query norm is unused")
        fusion = switched(switches)
        fused = fusion(*make_inputs())
        (fused * torch.randn_like(fused)).sum().backward()
        gradients = {name: parameter.grad for name, parameter in fusion.named_parameters()}
        assert [name for name, grad in gradients.items() if grad is None or grad.abs().max() == 0] == []


@torch.no_grad()
@pytest.mark.parametrize("interaction", ["additive", "multiplicative"])
def test_only_multiplicative_interaction_lets_the_effect_of_the_sentence_depend_on_the_image(
    interaction: str,
) -> None:
    """If sentences are only added, f(m, s) - f(m, s') is the same for all feature maps m."""
    fusion = switched({"text": "pooled", "interaction": interaction, "coordinates": "off"})
    for block in fusion.blocks:  # Disables the MLP, which would depend on both.
        nn.init.zeros_(block.think[-1].weight)
    feature_map, words, mask, pooled = make_inputs()
    effect = fusion(feature_map, words, mask, pooled) - fusion(
        feature_map, words, mask, pooled.roll(1, dims=0)
    )
    other_effect = fusion(-feature_map, words, mask, pooled) - fusion(
        -feature_map, words, mask, pooled.roll(1, dims=0)
    )
    assert effect.abs().max() > 1e-2
    if interaction == "additive":
        torch.testing.assert_close(effect, other_effect, rtol=1e-4, atol=1e-5)
    else:
        assert (effect - other_effect).abs().max() > 1e-2


def test_the_effect_of_the_sentence_in_concatenation_does_not_depend_on_the_image() -> None:
    fusion = ConcatenationFusion(CHANNELS, POOLED, WORD)
    feature_map, words, mask, pooled = make_inputs()
    effect = fusion(feature_map, words, mask, pooled) - fusion(
        feature_map, words, mask, pooled.roll(1, dims=0)
    )
    # Equal in every cell of every image.
    torch.testing.assert_close(effect, effect[:, :, :1, :1].expand_as(effect), rtol=1e-4, atol=1e-5)
    other_effect = fusion(feature_map * 3, words, mask, pooled) - fusion(
        feature_map * 3, words, mask, pooled.roll(1, dims=0)
    )
    torch.testing.assert_close(effect, other_effect, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_cross_attention_learns_no_queries_and_keys(training: bool) -> None:
    """With one key the softmax is always 1, so queries and keys get no gradient: a bug of ClipRPN (Trento)."""
    fusion = CrossAttentionFusion(CHANNELS, POOLED, WORD).train(training)
    fused = fusion(*make_inputs())
    (fused * torch.randn_like(fused)).sum().backward()
    attention = fusion.attention
    query_bias, key_bias, value_bias = attention.in_proj_bias.grad.chunk(3)
    weights = (attention.q_proj_weight.grad, attention.k_proj_weight.grad, attention.v_proj_weight.grad)
    query, key, value = (weight.abs().max() for weight in weights)
    assert value > 1e-2
    # Zero, except for rounding in the backward pass of attention.
    assert max(query, key, query_bias.abs().max(), key_bias.abs().max()) < 1e-5 * value
    assert value_bias.abs().max() > 1e-2


def test_cross_attention_adds_the_same_vector_to_every_cell() -> None:
    fusion = CrossAttentionFusion(CHANNELS, POOLED, WORD).eval()
    inputs = []
    fusion.norm1.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    feature_map, words, mask, pooled = make_inputs()
    fusion(feature_map, words, mask, pooled)
    added = inputs[0] - nn.functional.normalize(feature_map, dim=1).flatten(2).transpose(1, 2)
    torch.testing.assert_close(added, added[:, :1].expand_as(added), rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("kind", [ConcatenationFusion, CrossAttentionFusion, SwitchedFusion])
def test_the_neck_is_a_1x1_projection_before_the_fusion(kind: type[nn.Module]) -> None:
    model = ClipRPN(kind(CHANNELS, POOLED, WORD), 96, CHANNELS, RpnRules(), grid_size=4).eval()
    _, words, mask, pooled = make_inputs()
    feature_map = torch.randn(3, 96, 4, 4)
    assert isinstance(model.neck, nn.Conv2d)
    projected = (
        torch.einsum("bchw,dc->bdhw", feature_map, model.neck.weight[:, :, 0, 0])
        + model.neck.bias[:, None, None]
    )
    expected = flatten_head(*model.head(model.fusion_module(projected, words, mask, pooled)))
    for output, expected_i in zip(model(feature_map, words, mask, pooled), expected, strict=True):
        torch.testing.assert_close(output, expected_i, rtol=1e-4, atol=1e-5)
    bare = ClipRPN(kind(96, POOLED, WORD), 96, None, RpnRules(), grid_size=4)
    assert bare.neck is None and not any(name.startswith("neck") for name in bare.state_dict())


@pytest.mark.parametrize(("make", "switches"), all_fusions())
def test_sharing_the_maps_of_an_image_changes_neither_outputs_nor_gradients(make, switches) -> None:
    maps, words, mask, pooled = make_inputs(batch=5, length=8)
    maps, map_of = torch.randn(2, 24, 4, 4), torch.tensor([0, 1, 1, 0, 1])
    model = ClipRPN(make(switches), 24, CHANNELS, RpnRules(), grid_size=4)
    results = []
    for inputs in ((maps[map_of], words, mask, pooled), (maps, words, mask, pooled, map_of)):
        model.zero_grad()
        logits, deltas = model(*inputs)
        (logits.square().sum() + deltas.square().sum()).backward()
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        results.append([logits, deltas, *gradients])
    assert len(results[0]) > 10
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)  # other sums


def test_attention_on_a_cpu_is_scaled_dot_product_attention() -> None:
    query, key, value = torch.randn(2, 5, 128), torch.randn(2, 6, 128) * 40, torch.randn(2, 6, 128)
    mask = torch.arange(6) < torch.tensor([[6], [2]])
    heads = [part.unflatten(2, (8, 16)).transpose(1, 2) for part in (query, key, value)]
    normed = [nn.functional.layer_norm(part, (16,)) for part in heads[:2]]
    expected = nn.functional.scaled_dot_product_attention(*normed, heads[2], attn_mask=mask[:, None, None])
    attended = attend(query, key, value, attention_bias(mask, torch.float32))
    torch.testing.assert_close(attended, expected.transpose(1, 2).flatten(2))
