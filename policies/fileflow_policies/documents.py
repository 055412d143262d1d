"""IAM policy documents: JSON text or objects, read into statements.

A document that holds an output of another resource is unknown as a whole at preview. It is known, and judged,
at the update, before the resource is made; so rules on documents say nothing of an unknown one, but refuse
one that is known and can't be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .json_text import UnreadableTextError, parse
from .values import Value


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy document."""

    value: Value

    @property
    def allows(self) -> bool:
        """Anything but a plain Deny counts as allowing."""
        return self.value["Effect"].text() != "Deny"

    def actions(self) -> list[str]:
        return _texts(self.value["Action"])

    def resources(self) -> list[str]:
        return _texts(self.value["Resource"])

    @property
    def label(self) -> str:
        sid = self.value["Sid"]
        return f"statement {sid.shown()}" if sid.text() else self.value.path

    def shown(self, text: str) -> str:
        """A text of this statement, for a message."""
        return self.value.shown_part(text)

    def condition_keys(self) -> set[str]:
        """The keys that conditions test, in lower case, as IAM compares them."""
        return {key.lower() for _, block in self.value["Condition"].entries() for key, _ in block.entries()}

    def principals(self) -> list[tuple[str, str]]:
        """Kind and name of each principal; a bare `*` is one of kind `*`."""
        principal = self.value["Principal"]
        text = principal.text()
        if text is not None:
            return [("*", text)]
        return [(kind, name) for kind, names in principal.entries() for name in _texts(names)]


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document's statements, or why there are none to judge."""

    statements: tuple[Statement, ...]
    problem: str | None = None


def read_document(value: Value) -> Document:
    """Reads a document; a missing or unknown one has no statements and no problem."""
    if value.missing or value.unknown:
        return Document(())
    text = value.text()
    if text is not None:
        try:
            parsed = Value.of(parse(text), value.path, value.secret)
        except UnreadableTextError as error:
            return Document((), f"{value.path} is {error}")
    else:
        parsed = value
    if not parsed.is_object:
        return Document((), f"{value.path} is no policy document")
    statements = parsed["Statement"]
    if statements.missing:
        return Document((), f"{value.path} has no statement")
    found = tuple(Statement(item) for item in statements.items())
    for statement in found:
        if not statement.value.is_object and not statement.value.unknown:
            return Document((), f"{statement.value.path} is no statement")
    return Document(tuple(statement for statement in found if statement.value.is_object))


def _texts(value: Value) -> list[str]:
    """A text or a list of texts, as IAM takes either."""
    text = value.text()
    if text is not None:
        return [text]
    if not value.known or not isinstance(value.raw, list):
        return []
    return [item for element in value.items() if (item := element.text()) is not None]


def allowing(value: Value) -> Iterator[Statement]:
    """The statements of a document that allow something."""
    return (statement for statement in read_document(value).statements if statement.allows)
