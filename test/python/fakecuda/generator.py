"""torch.Generator for the simulated device."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import torch

CpuGenerator = torch.Generator


class Generator(CpuGenerator):
    """A generator of a device. It draws the numbers of the CPU's with the same seed, so that results can be compared.

    Without a generator, operators on the device draw from the CPU's default one, for the same reason.
    """

    said: torch.device

    def __new__(cls, device: str | torch.device = "cpu") -> Any:
        if torch.device(device).type == "cpu":
            return CpuGenerator()
        generator = super().__new__(cls)
        said = torch.device(device)
        generator.said = torch.device("cuda", said.index or 0)
        _by_address[generator._cdata] = generator
        return generator

    def __init__(self, device: str | torch.device = "cpu") -> None:
        super().__init__()

    @property
    def device(self) -> torch.device:
        return self.said


def device_of(generator: torch.Generator) -> torch.device:
    """The device of a generator that an operator gets: there, torch makes another object of the same generator."""
    return _by_address.get(generator._cdata, generator).device


_by_address: WeakValueDictionary[int, Generator] = WeakValueDictionary()
