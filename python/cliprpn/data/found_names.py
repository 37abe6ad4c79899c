"""Gives images the names of the files that the look-up found for them.

The annotations are read twice: first with their own names, which are then looked up among the images; then with the
names of the files, so that rows that name one file in different ways belong to one image.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from cliprpn.contract.generated import ImageNames
from cliprpn.data.image_names import image_identity
from cliprpn.errors import CliprpnError


def read_image_names(path: Path) -> ImageNames:
    """Reads the file that TypeScript writes.

    Raises:
        CliprpnError: data_invalid.
    """
    try:
        return ImageNames.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CliprpnError("data_invalid", f"{path}: expected the names of the images: {error}") from error


class FoundNames:
    """The paths of the files of images, by their names in the annotations."""

    def __init__(self, names: ImageNames | None) -> None:
        self._by_split = set[str]() if names is None else set(names.by_split)
        self._paths = {} if names is None else names.names
        # Of several ways to write the name of an image, the annotations list the first.
        self._by_identity = {image_identity(name): path for name, path in self._paths.items()}

    def path_of(self, name: str, split: str | None) -> str:
        """The path of an image's file, or its name as it is if it has no other.

        Args:
            name: as the annotations give it.
            split: of the row that names the image, if known; it matters if the split has an image folder of its own.
        """
        if not self._paths and not self._by_split:
            return name
        tagged = f"{split}\t{name}" if split in self._by_split else name
        return self._paths.get(tagged) or self._by_identity.get(image_identity(tagged), tagged)
