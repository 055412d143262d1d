"""Image names: `[HOST/]PATH[:TAG][@DIGEST]`, read, checked and put together again."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_HOST = (
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d+)?"
)
_PATH = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*"
_REFERENCE = re.compile(
    rf"(?:(?P<host>{_HOST})/)??(?P<path>{_PATH})(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)


class ImageError(Exception):
    """One message for a person: which image, what is wrong, and what to do."""


@dataclass(frozen=True)
class ImageName:
    """An image's name in its parts. `host` is None for an image of the engine, or of Docker Hub."""

    host: str | None
    path: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> ImageName:
        """Read a name; raises ImageError saying what a name looks like."""
        first, slash, rest = text.partition("/")
        is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
        match = _REFERENCE.fullmatch(rest if is_host else text)
        if match is None or match["host"] or (is_host and not re.fullmatch(_HOST, first)):
            raise ImageError(
                f'"{text}" is not an image name; write it as HOST/REPOSITORY:TAG, in lower case up to the tag'
            )
        return cls(first if is_host else None, match["path"], match["tag"], match["digest"])

    @property
    def repository(self) -> str:
        """The name without tag and digest."""
        return f"{self.host}/{self.path}" if self.host else self.path

    def with_digest(self, digest: str) -> str:
        """Return `REPOSITORY@DIGEST`, the name of exactly one image."""
        return f"{self.repository}@{digest}"

    def at_host(self, host: str | None) -> ImageName:
        """Return the same image at another registry."""
        return replace(self, host=host)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag or not self.digest else ""
        if not self.tag and not self.digest:
            tag = ":latest"
        return f"{self.repository}{tag}{'@' + self.digest if self.digest else ''}"
