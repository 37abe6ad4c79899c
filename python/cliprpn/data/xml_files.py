"""Reads small XML files from untrusted sources: no entities, no document types, nothing from outside the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from cliprpn.errors import CliprpnError

MAX_XML_BYTES = 16 * 2**20
MAX_DEPTH = 50


@dataclass
class Element:
    """An XML element with its line in the file; attributes are not kept."""

    tag: str
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def find_all(self, tag: str) -> Iterator[Element]:
        """The children with this tag."""
        return (child for child in self.children if child.tag == tag)

    def find(self, tag: str) -> Element | None:
        """The first child with this tag."""
        return next(self.find_all(tag), None)

    def value(self, *tags: str) -> str | None:
        """The text of the first element at this path of tags, without space around it; None if there is none."""
        element: Element | None = self
        for tag in tags:
            element = None if element is None else element.find(tag)
        return None if element is None else element.text.strip()


def read_xml(path: Path) -> Element:
    """The root element of a file.

    Raises:
        CliprpnError: data_invalid, with the line, if the file is not XML, is too large or nested too deep, or has a
            document type, which could define entities.
        OSError: the file cannot be read.
    """
    if path.stat().st_size > MAX_XML_BYTES:
        raise CliprpnError("data_invalid", f"{path}: expected XML of at most {MAX_XML_BYTES:,} bytes")
    tree = _TreeBuilder(path)
    try:
        tree.parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise CliprpnError("data_invalid", f"{path}:{error.lineno}: expected XML: {error}") from error
    except (ValueError, LookupError) as error:  # An encoding that Python does not know.
        raise CliprpnError("data_invalid", f"{path}:1: expected XML: {error}") from error
    return tree.root.children[0]


class _TreeBuilder:
    """Collects the elements that expat reports."""

    def __init__(self, path: Path) -> None:
        self.root = Element("", 0)
        self._path = path
        self._open = [self.root]
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise self._error("elements nested too deep")
        element = Element(tag, self.parser.CurrentLineNumber)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, tag: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _refuse(self, *_: object) -> int:
        raise self._error("a document type or entity, which is not read")

    def _error(self, found: str) -> CliprpnError:
        line = self.parser.CurrentLineNumber
        return CliprpnError("data_invalid", f"{self._path}:{line}: expected plain XML, found {found}")
