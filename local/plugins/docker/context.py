"""A build's context: which files it has, and a digest that changes exactly when they do.

The digest is the real provider's, so that a state written by one of the two shows no change to the other.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from docker.utils.build import Pattern
from local.plugins.docker.names import ImageError

_CHUNK_BYTES = 1 << 20


def ignore_patterns(dockerfile: str, context: str) -> list[str]:
    """Return the lines of `DOCKERFILE.dockerignore`, else of the context's `.dockerignore`."""
    for path in (Path(f"{dockerfile}.dockerignore"), Path(context) / ".dockerignore"):
        if path.is_file():
            return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line[:1] != "#"]
    return []


def files(context: str, lines: Sequence[str]) -> Iterator[str]:
    """Yield the context's files and links, as paths from its root, in order, without the ignored ones.

    Raises ImageError for a context that can't be read.
    """
    patterns = [pattern for pattern in map(Pattern, lines) if pattern.dirs]
    can_skip_folders = not any(pattern.exclusion for pattern in patterns)

    def walk(folder: str, prefix: str) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise ImageError(
                f'the build context "{context}" can\'t be read: {error.strerror}: {folder}'
            ) from None
        for entry in entries:
            path = f"{prefix}{entry.name}"
            ignored = _is_ignored(path, patterns)
            if entry.is_dir(follow_symlinks=False):
                if not (ignored and can_skip_folders):
                    yield from walk(entry.path, f"{path}/")
            elif not ignored:
                yield path

    yield from walk(context, "")


def _is_ignored(path: str, patterns: Sequence[Pattern]) -> bool:
    """Whether the last pattern that matches the path, or a folder above it, ignores it."""
    path_and_above = [path, *map(str, PurePosixPath(path).parents[:-1])]
    ignored = False
    for pattern in patterns:
        if ignored == pattern.exclusion and any(map(pattern.match, path_and_above)):
            ignored = not pattern.exclusion
    return ignored


def digest(context: str, dockerfile: str) -> str:
    """Return the digest of a Dockerfile and its context: names, modes and contents of what isn't ignored."""
    total = hashlib.sha256()
    _add(total, dockerfile, "Dockerfile", 0o100000)
    for path in files(context, ignore_patterns(dockerfile, context)):
        full_path = Path(context, path)
        _add(total, str(full_path), path, full_path.lstat().st_mode)
    return total.hexdigest()


def _add(total: hashlib._Hash, full_path: str, name: str, mode: int) -> None:
    content = hashlib.sha256()
    if stat.S_ISLNK(mode):
        content.update(_link_target(full_path).encode())
    elif stat.S_ISREG(mode):
        try:
            with Path(full_path).open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    content.update(chunk)
        except OSError as error:
            raise ImageError(f"{full_path} of the build context can't be read: {error.strerror}") from None
    total.update(posixpath.normpath(name).encode() + _mode_text(mode).encode() + content.digest() + b"\0")


def _link_target(path: str) -> str:
    """Return what a link resolves to, relative where the context is given relative to the working folder."""
    target = os.path.realpath(path)
    if not Path(target).exists():
        raise ImageError(
            f"{path} of the build context is a link to nothing; remove it, or ignore it in .dockerignore"
        )
    if not Path(path).is_absolute():
        here = os.path.realpath(".")
        if os.path.commonpath([here, target]) == here:
            return os.path.relpath(target, here)
    return target


def _mode_text(mode: int) -> str:
    """Write a file's mode the way Go does: links are `L`, permissions follow."""
    kind = "L" if stat.S_ISLNK(mode) else stat.filemode(mode)[0]
    special = "".join(
        letter
        for letter, bit in (("u", stat.S_ISUID), ("g", stat.S_ISGID), ("t", stat.S_ISVTX))
        if mode & bit
    )
    permissions = stat.filemode(mode & 0o777)[1:]
    return (special if special and kind == "-" else kind + special) + permissions


def archive(context: str, dockerfile: str) -> tuple[IO[bytes], str]:
    """Return the context as a tar file for the engine, and the Dockerfile's name in it.

    The Dockerfile and the ignore file are there even when ignored, because the builder needs them.
    """
    relative = dockerfile_in_context(context, dockerfile)
    patterns = ignore_patterns(dockerfile, context)
    name = relative
    # The caller closes it: the engine reads it after this function is done.
    buffer = tempfile.TemporaryFile()  # noqa: SIM115 - see above
    # BuildKit takes a file that begins with an extended (PAX) header for a Dockerfile.
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        added = set()
        for path in files(context, [*patterns, f"!{relative}", "!.dockerignore"] if patterns else patterns):
            tar.add(Path(context, path), arcname=path, recursive=False, filter=_root_owned)
            added.add(path)
        if relative.startswith("../"):
            name = f".dockerfile.{hashlib.sha256(relative.encode()).hexdigest()[:20]}"
            tar.add(dockerfile, arcname=name, recursive=False, filter=_root_owned)
        elif relative not in added:
            tar.add(dockerfile, arcname=relative, recursive=False, filter=_root_owned)
    buffer.seek(0)
    return buffer, name


def _root_owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def dockerfile_in_context(context: str, dockerfile: str) -> str:
    """Return the Dockerfile's path from the context's root; it starts with `../` outside of it."""
    return Path(os.path.relpath(os.path.realpath(dockerfile), os.path.realpath(context))).as_posix()


def stage_names(dockerfile: str) -> list[str]:
    """Return the names of a Dockerfile's stages, a nameless one as its number."""
    names: list[str] = []
    for line in Path(dockerfile).read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if words and words[0].upper() == "FROM":
            named = len(words) >= 4 and words[-2].upper() == "AS"
            names.append(words[-1].lower() if named else str(len(names)))
    return names
