"""A sentence in its templates, and its vector from theirs."""

from __future__ import annotations

import open_clip
from torch import Tensor
from torch.nn import functional

# CLIP's own for a class (Radford et al. 2021, section 3.1.4).
CLASS_TEMPLATE = "a photo of a {}"


def prompts(sentences: list[str], templates: list[str]) -> list[str]:
    """Each sentence in each template, in place of its {}: S * T texts, a sentence's own beside each other."""
    return [template.replace("{}", sentence) for sentence in sentences for template in templates]


def mean_vectors(vectors: Tensor, num_templates: int) -> Tensor:
    """A sentence's vector: the mean over its templates, L2-normalised again (Radford et al. 2021, section 3.1.4).

    Args:
        vectors: [S * T, D], of `prompts`, L2-normalised.

    Returns:
        [S, D].
    """
    return functional.normalize(vectors.unflatten(0, (-1, num_templates)).mean(dim=1), dim=1)


def cut_sentences(sentences: list[str], templates: list[str], context_length: int) -> list[bool]:
    """Which sentences CLIP does not read to their end, in at least one template.

    Args:
        context_length: the most tokens that it reads, start and end marks among them; 77.
    """
    if not sentences:
        return []
    tokens = open_clip.tokenize(prompts(sentences, templates), context_length=context_length + 1)
    too_long = tokens[:, -1] != 0  # Zeros fill what is left.
    return too_long.unflatten(0, (len(sentences), len(templates))).any(dim=1).tolist()
