"""Images per second of a torch DataLoader that decodes with Pillow and resizes with torchvision.

`python -m bench.images FOLDER REPEATS SIZE WORKERS` prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2
from torchvision.transforms.v2.functional import pil_to_tensor


class Images(Dataset[Tensor]):
    """The images of a folder, `repeats` times; each [3, size, size], uint8."""

    def __init__(self, folder: Path, repeats: int, size_px: int) -> None:
        self.files = sorted(folder.iterdir()) * repeats
        self.resize = v2.Resize(
            (size_px, size_px), interpolation=v2.InterpolationMode.BICUBIC, antialias=True
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self.files[index]) as image:
            return pil_to_tensor(self.resize(image.convert("RGB")))


def main() -> None:
    folder, repeats, size_px, num_workers = sys.argv[1:]
    images = Images(Path(folder), int(repeats), int(size_px))
    loader = DataLoader(images, batch_size=64, num_workers=int(num_workers))
    started = time.perf_counter()
    num_images = sum(len(batch) for batch in loader)
    print(json.dumps({"num_images": num_images, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
