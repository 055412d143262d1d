"""The folders that the local stack fills.

Owns: that what is made in them is made once and shows only when it is whole, and that what goes wrong with
them is told in one error. Deliberately doesn't own what is in them.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import LocalError
from local.locks import exclusive

ROOM_MEGABYTES = 50
"""A step that fails with less than this fails for lack of room, whatever it says: its log is cut off too."""

_UNWRITABLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EEXIST,
)


def full(folder: Path) -> LocalError | None:
    """Return the error to tell when a step has failed and its folder has no room left."""
    free_megabytes = shutil.disk_usage(folder).free // 1_000_000
    if free_megabytes >= ROOM_MEGABYTES:
        return None
    return LocalError(
        f"no space left on device: the cache {folder} has {free_megabytes} MB free.",
        "make room there, or set FILEFLOW_CACHE_DIR to a folder with 3 GB of space.",
    )


@contextmanager
def writing_to(folder: Path, what: str = "cache", variable: str = "FILEFLOW_CACHE_DIR") -> Iterator[None]:
    """Turn a full, read-only or forbidden folder into the one error that says what to do.

    `variable` is the setting by which the user may choose another folder.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise LocalError(
            f"the {what} {folder} can't be written: {error.strerror} ({error.filename or folder}).",
            f"make room there or make it writable, or set {variable} to a folder with 3 GB of space.",
        ) from error


@contextmanager
def making(cache: Path, name: str, doing: str, log: Path | None = None) -> Iterator[None]:
    """Be the only one who makes the thing of that name in the cache; `doing` and `log` as in `exclusive`."""
    with writing_to(cache), exclusive(cache / "locks" / f"{name}.lock", doing, log):
        yield


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `folder` at the end; of one that fails nothing stays."""
    for abandoned in folder.parent.glob(f"{folder.name}.*.tmp"):
        shutil.rmtree(abandoned)
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_atomically(file: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Replace a file in one step; leave it alone when it has this content."""
    data = content.encode() if isinstance(content, str) else content
    if file.exists() and file.read_bytes() == data:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        unfinished.write_bytes(data)
        unfinished.chmod(mode)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
