"""Captions and phrases for drawn scenes; different from the demo's templates for referring expressions."""

from __future__ import annotations

import random
from dataclasses import astuple, dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Phrase:
    """The attributes that a text mentions of one object; None if not mentioned."""

    kind: str | None
    color: str | None
    mark: str | None
    size: str | None
    place: str | None


def true_phrases(phrases: list[Phrase], objects: list[Phrase]) -> Tensor:
    """Whether all attributes of a phrase match a fully described object: [N objects, N phrases], bool."""
    codes: dict[str | None, int] = {None: -1}
    mentioned, actual = (
        torch.tensor([[codes.setdefault(value, len(codes)) for value in astuple(phrase)] for phrase in group])
        for group in (phrases, objects)
    )
    return ((mentioned[None] == actual[:, None]) | (mentioned[None] == -1)).all(dim=2)


def describe(item: dict[str, Any], width: int, height: int) -> Phrase:
    """All attributes of an object in `scenes.jsonl`."""
    x1, y1, x2, y2 = item["box_xyxy"]
    area = (x2 - x1) * (y2 - y1) / (width * height)
    size = "big" if area > 0.09 else "little" if area < 0.045 else "medium"
    column = _third((x1 + x2) / 2 / width, ("left", "center", "right"))
    row = _third((y1 + y2) / 2 / height, ("upper", "middle", "lower"))
    return Phrase(item["kind"], item["color"], item["mark"], size, f"{row} {column}")


def sample_phrase(full: Phrase, rng: random.Random) -> Phrase:
    """A phrase with some of the attributes: always the kind or the color, the others at random."""
    kind = full.kind if rng.random() < 0.88 else None
    return Phrase(
        kind=kind,
        color=full.color if kind is None or rng.random() < 0.65 else None,
        mark=full.mark if rng.random() < 0.35 else None,
        size=full.size if rng.random() < 0.25 else None,
        place=full.place if rng.random() < 0.2 else None,
    )


def write_phrase(phrase: Phrase, rng: random.Random) -> str:
    """The phrase as text: "a big red star showing a dot, drawn in the upper left"."""
    words = [word for word in (phrase.size, phrase.color) if word is not None and word != "medium"]
    text = " ".join([*words, phrase.kind or rng.choice(("thing", "shape", "object"))])
    if phrase.mark == "none":
        text = rng.choice((f"plain {text}", f"{text} showing nothing"))
    elif phrase.mark is not None:
        text = f"{text} {rng.choice(('showing', 'decorated by'))} a {phrase.mark}"
    if phrase.place is not None:
        text = f"{text} {rng.choice(('drawn in the', 'in the'))} {phrase.place} part"
    return rng.choice((text, f"there is a {text}", f"a {text}"))


def write_caption(objects: list[Phrase], rng: random.Random) -> str:
    """A caption of the image that names some of its objects, in random order."""
    chosen = rng.sample(objects, k=min(len(objects), rng.randint(2, 4)))
    listed = " and ".join(write_phrase(sample_phrase(item, rng), rng) for item in chosen)
    return f"{rng.choice(('a drawing of', 'a picture with', 'we see'))} {listed}"


def _third(fraction: float, names: tuple[str, str, str]) -> str:
    return names[min(2, int(fraction * 3))]
