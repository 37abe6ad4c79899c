"""Frozen CLIP: the feature map before the attention pool, embeddings, and features of tokens."""

from __future__ import annotations

from dataclasses import dataclass

import open_clip
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from torch import Tensor, nn
from torch.nn import functional

from cliprpn.models.clip_state import ATTENTION_POOL, LOGIT_SCALE, check_clip_state

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
OPENAI_LOGIT_SCALE = 100.0


@dataclass(frozen=True)
class BackboneConfig:
    """Architecture for open_clip, and the mean and standard deviation (RGB) that normalize images."""

    embed_dim: int
    vision_cfg: dict[str, object]
    text_cfg: dict[str, object]
    mean: tuple[float, float, float] = OPENAI_MEAN
    std: tuple[float, float, float] = OPENAI_STD


def rn50_config() -> BackboneConfig:
    """CLIP RN50 with QuickGELU, which OpenAI's weights require (open_clip's `RN50` uses GELU)."""
    config = open_clip.get_model_config("RN50-quickgelu")
    return BackboneConfig(config["embed_dim"], config["vision_cfg"], config["text_cfg"])


class ClipBackbone(nn.Module):
    """CLIP with a ResNet, always frozen: no gradients, and never in training mode.

    Args:
        config: the architecture.
        state: a state_dict with open_clip's names; the attention pool may be missing, as in checkpoints of ClipRPN
            (Trento).
        weights_id: identifies the weights; part of the key of cached features.

    Attributes:
        pooled_dim: Dp, the size of an image or sentence embedding.
        word_dim: Dw, the size of a token's features.
        map_channels: C, the channels of the feature map.
        context_length: maximum number of tokens, including start and end tokens.
        logit_scale: factor of cosine similarities before a softmax.
        has_attention_pool: whether images can be embedded.

    Raises:
        ValueError: `state` does not match the architecture.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: BackboneConfig, state: dict[str, Tensor], weights_id: str) -> None:
        super().__init__()
        self.weights_id = weights_id
        self.clip = CLIP(
            embed_dim=config.embed_dim,
            vision_cfg=CLIPVisionCfg(**config.vision_cfg),
            text_cfg=CLIPTextCfg(**config.text_cfg),
            quick_gelu=True,
        )
        check_clip_state(state, self.clip.state_dict())
        self.clip.load_state_dict(state, strict=False)
        self.has_attention_pool = any(key.startswith(ATTENTION_POOL) for key in state)
        # Weights without it were derived from OpenAI's.
        has_scale = LOGIT_SCALE in state
        self.logit_scale = float(self.clip.logit_scale.detach().exp()) if has_scale else OPENAI_LOGIT_SCALE
        self.pooled_dim = config.embed_dim
        self.word_dim = self.clip.ln_final.normalized_shape[0]
        self.map_channels = self.clip.visual.layer4[-1].conv3.out_channels
        self.context_length = self.clip.context_length
        self.register_buffer("mean", torch.tensor(config.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config.std).view(3, 1, 1), persistent=False)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> ClipBackbone:
        """Keeps evaluation mode, so that BatchNorm statistics do not change either."""
        return super().train(False)

    @torch.no_grad()
    def feature_map(self, pixels: Tensor) -> Tensor:
        """The feature map of the last stage, before the attention pool.

        Args:
            pixels: [B, 3, H, W], RGB in [0, 1]; H and W multiples of 32.

        Returns:
            [B, map_channels, H / 32, W / 32].
        """
        visual = self.clip.visual
        hidden = visual.stem((pixels - self.mean) / self.std)
        for stage in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            hidden = stage(hidden)
        return hidden

    @torch.no_grad()
    def encode_image(self, pixels: Tensor) -> Tensor:
        """The embedding of each image, from the attention pool.

        Args:
            pixels: [B, 3, H, W], RGB in [0, 1], of the size that CLIP was trained with (224).

        Returns:
            [B, pooled_dim], L2-normalized.

        Raises:
            ValueError: the weights have no attention pool.
        """
        if not self.has_attention_pool:
            raise ValueError("these weights have no attention pool")
        return functional.normalize(self.clip.visual.attnpool(self.feature_map(pixels)), dim=1)

    def tokenize(self, sentences: list[str]) -> Tensor:
        """BPE tokens, [B, L], on the CPU; L is the number of tokens of the longest sentence, at most context_length.

        A sentence that is too long is truncated, but keeps its end token. Shorter ones are padded with 0.
        """
        tokens = open_clip.tokenize(sentences, context_length=self.context_length)
        return tokens[:, : int(count_tokens(tokens).max())]

    @torch.no_grad()
    def encode_text(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sentence embeddings and token features. Does not wait for the device.

        Args:
            tokens: [B, L], from `tokenize`. What follows a sentence does not change its features: attention is causal.

        Returns:
            pooled [B, pooled_dim], L2-normalized; words [B, L, word_dim], output of the text tower's last layer
            norm; mask [B, L], True from the start token to the end token.
        """
        clip = self.clip
        length = tokens.shape[1]
        end = count_tokens(tokens) - 1
        hidden = clip.token_embedding(tokens) + clip.positional_embedding[:length]
        hidden = clip.transformer(hidden, attn_mask=clip.attn_mask[:length, :length])
        words = clip.ln_final(hidden)  # [B, L, Dw]
        rows = torch.arange(len(tokens), device=tokens.device)
        pooled = functional.normalize(words[rows, end] @ clip.text_projection, dim=1)
        mask = torch.arange(length, device=tokens.device) <= end[:, None]
        return pooled, words, mask


def count_tokens(tokens: Tensor) -> Tensor:
    """Number of tokens of each sentence, [B], int64, from the start token to the end token.

    Args:
        tokens: [B, L].
    """
    return tokens.argmax(dim=1) + 1  # The end token has the largest id.
