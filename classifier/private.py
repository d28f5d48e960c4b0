"""Files for their owner's eyes: what is written may hold or concern somebody's words."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from classifier.errors import InputError


def write_private(path: Path, content: bytes) -> None:
    """Write beside its place, readable by its owner alone, and move it there when it is whole: a failure leaves nothing behind.

    Raises
    ------
    InputError
        When the folder cannot be written to.
    """
    part = None
    try:
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(part, path)
    except OSError as error:
        if part is not None:
            Path(part).unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from error
