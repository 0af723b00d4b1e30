"""The file client: keeps values that are too large for a topic, anywhere fsspec reaches. See docs/operations.md."""

import errno
import os
import posixpath
import uuid
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import fsspec

from lern_tasks.connections.local_folder import open_folder
from lern_tasks.errors import DependencyDown, RefusedByService

_LONGEST_PART = 255
"""Bytes of one part of a name, as file systems take it; the file's own is longer while it is written."""

_LONGEST_NAME = 900
"""Bytes of a whole name: S3 and Google take 1,024 for a key, in which the folder counts."""

_OF_THIS_NAME = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EISDIR, errno.ENOTDIR, errno.EEXIST})
"""What a store says of one name: it is too long, has characters that the store lacks, or is a folder's."""


class Files:
    """Files below one URL (`file://`, `s3://`, `az://`, `gs://`, `memory://`).

    A reference is the file's name relative to that URL: it stays valid when the files are moved, and a forged one
    cannot point elsewhere. `name` is the dependency's name in errors; `options` are fsspec's, for instance keys.
    `mode` is that of a file on this machine's disk, less the process's umask.
    """

    def __init__(
        self, url: str, *, name: str = "files", options: Mapping[str, Any] | None = None, mode: int = 0o600
    ) -> None:
        self._url = url
        self._name = name
        self._options = dict(options or {})
        self._mode = mode
        self._opened: tuple[Any, str] | None = None

    def put(self, name: str, content: bytes) -> str:
        """Store `content` under `name` (parts separated by `/`), whole or not at all, and return its reference.

        An older file of that name is replaced. Raises RefusedByService for a name that no store takes, DependencyDown
        when the store does not take files.
        """
        path = self._path(name)
        part = f"{path}{_part()}"
        try:
            store = self._open()[0]
            store.makedirs(posixpath.dirname(path), exist_ok=True)
            if _is_local(store):
                # Made before it is filled, so that nobody can read it in between.
                os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, self._mode))
            store.pipe_file(part, content)
            # The library's own way would put the file into a folder of that name.
            (os.replace if _is_local(store) else store.mv)(part, path)
        except Exception as error:
            raise self._failed(error) from error
        return name

    def get(self, reference: str, *, most: int | None = None) -> bytes:
        """The content behind a reference of `put`; with `most`, no more than its first bytes.

        Raises RefusedByService when there is no such file, DependencyDown when the store does not answer.
        """
        path = self._path(reference)
        try:
            return bytes(self._open()[0].cat_file(path, end=most))
        except FileNotFoundError:
            raise RefusedByService(f"there is no file {reference} in the store {self._name}") from None
        except Exception as error:
            raise self._failed(error) from error

    def ping(self) -> None:
        """Raise DependencyDown unless the store lists its files."""
        try:
            store, root = self._open()
            store.exists(root)
        except DependencyDown:
            raise
        except Exception as error:
            raise self._down(error) from error

    def _path(self, name: str) -> str:
        plain = PurePosixPath(name)
        if str(plain) != name or not plain.parts or plain.is_absolute() or ".." in plain.parts:
            raise RefusedByService("a file reference must be a plain relative name")
        sizes = [len(part.encode(errors="replace")) for part in PurePosixPath(f"{name}{_part()}").parts]
        if max(sizes) > _LONGEST_PART or sum(sizes) + len(sizes) > _LONGEST_NAME or not name.isprintable():
            raise RefusedByService("a file name is too long, or has control characters")
        return posixpath.join(self._open()[1], name)

    def _open(self) -> tuple[Any, str]:
        if self._opened is None:
            try:
                store, root = fsspec.core.url_to_fs(self._url, **self._options)
                fault = open_folder(root) if _is_local(store) else ""
            except Exception as error:
                raise self._down(error) from error
            if fault:
                raise DependencyDown(self._name, f"the file store is not used: {fault}")
            self._opened = (store, root)
        return self._opened

    def _failed(self, error: Exception) -> DependencyDown | RefusedByService:
        """An error of this name is its record's fault, any other is an outage of the store."""
        # Other ValueErrors are of settings: clouds look at theirs at the first call.
        if isinstance(error, UnicodeError) or (isinstance(error, OSError) and error.errno in _OF_THIS_NAME):
            return RefusedByService(f"the store {self._name} takes no file of this name: {type(error).__name__}")
        return error if isinstance(error, DependencyDown) else self._down(error)

    def _down(self, error: Exception) -> DependencyDown:
        # Clouds raise errors of their own libraries, so every class means the same here; no text, it may show keys.
        return DependencyDown(self._name, f"the file store does not take or give the file: {type(error).__name__}")


def _part() -> str:
    """What a file's name ends in while it is written."""
    return f".{uuid.uuid4().hex}.part"


def _is_local(store: Any) -> bool:
    return "file" in store.protocol
