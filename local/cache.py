"""The cache that all clones share: what goes wrong with it, told in one error."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import LocalError

_UNWRITABLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EEXIST,
)


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn a full, read-only or forbidden folder into the one error that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise LocalError(
            f"the cache {folder} can't be written: {error.strerror} ({error.filename or folder}).",
            "make room there or make it writable, or set FILEFLOW_CACHE_DIR to a folder with 3 GB of space.",
        ) from error
