"""A folder of this machine that only we may change. See docs/operations.md, "Files"."""

import os
import stat
from pathlib import Path


def open_folder(path: str) -> str:
    """Make the folder, for its owner alone, unless there is one; what keeps us from using it, empty for nothing.

    The default one lies in the temporary directory, where anybody may have been first: what they can change, or have
    made a link of, would take learners' events, or give us other ones. Raises OSError.
    """
    folder = Path(path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        return f"{path} is a link; name the folder itself"
    if found.st_mode & stat.S_IWOTH:
        return f"everybody may write to {path}; run chmod o-w on it, or name a folder in it"
    if hasattr(os, "getuid") and found.st_uid not in (os.getuid(), 0):
        return f"{path} belongs to another user; run chown on it, or name another folder"
    return ""
