"""The folders that the local stack fills: what goes wrong with them, told in one error."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import LocalError

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
