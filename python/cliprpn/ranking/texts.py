"""Prompt templates: builds the texts for CLIP and averages their embeddings."""

from __future__ import annotations

import open_clip
from torch import Tensor
from torch.nn import functional

# CLIP's prompt for class names (Radford et al. 2021, section 3.1.4).
CLASS_TEMPLATE = "a photo of a {}"


def make_prompts(sentences: list[str], templates: list[str]) -> list[str]:
    """Fills each sentence into the {} of each template: S * T texts, grouped by sentence."""
    return [template.replace("{}", sentence) for sentence in sentences for template in templates]


def average_templates(embeddings: Tensor, num_templates: int) -> Tensor:
    """Embedding of each sentence: mean over its templates, L2-normalized (Radford et al. 2021, section 3.1.4).

    Args:
        embeddings: [S * T, D], embeddings of `make_prompts`, L2-normalized.

    Returns:
        [S, D].
    """
    return functional.normalize(embeddings.unflatten(0, (-1, num_templates)).mean(dim=1), dim=1)


def find_truncated(sentences: list[str], templates: list[str], context_length: int) -> list[bool]:
    """Whether each sentence exceeds CLIP's context length in at least one template, so that its end is cut off.

    Args:
        context_length: maximum number of tokens, including start and end tokens; 77.
    """
    if not sentences:
        return []
    tokens = open_clip.tokenize(make_prompts(sentences, templates), context_length=context_length + 1)
    too_long = tokens[:, -1] != 0  # Shorter texts are padded with zeros.
    return too_long.unflatten(0, (len(sentences), len(templates))).any(dim=1).tolist()
