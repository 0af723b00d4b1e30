"""The file client: keeps values that are too large for a topic, anywhere fsspec reaches. See docs/operations.md."""

import posixpath
import uuid
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from lern_tasks.errors import DependencyDown, RefusedByService


class Files:
    """Files below one URL (`file://`, `s3://`, `az://`, `gs://`, `memory://`).

    A reference is the file's name relative to that URL: it stays valid when the files are moved, and a forged one
    cannot point elsewhere. `name` is the dependency's name in errors; `options` are fsspec's, for instance keys.
    """

    def __init__(self, url: str, *, name: str = "files", options: Mapping[str, Any] | None = None) -> None:
        self._url = url
        self._name = name
        self._options = dict(options or {})
        self._opened: tuple[Any, str] | None = None

    def put(self, name: str, content: bytes) -> str:
        """Store `content` under `name` (parts separated by `/`), whole or not at all, and return its reference.

        An older file of that name is replaced. Raises DependencyDown when the store does not take it.
        """
        path = self._path(name)
        part = f"{path}.{uuid.uuid4().hex}.part"
        try:
            store = self._open()[0]
            store.makedirs(posixpath.dirname(path), exist_ok=True)
            store.pipe_file(part, content)
            store.mv(part, path)
        except Exception as error:
            raise self._down(error) from error
        return name

    def get(self, reference: str) -> bytes:
        """The content behind a reference of `put`.

        Raises RefusedByService when there is no such file, DependencyDown when the store does not answer.
        """
        path = self._path(reference)
        try:
            return bytes(self._open()[0].cat_file(path))
        except FileNotFoundError:
            raise RefusedByService(f"there is no file {reference} in the store that LERN_FILES__URL names") from None
        except Exception as error:
            raise self._down(error) from error

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
        return posixpath.join(self._open()[1], name)

    def _open(self) -> tuple[Any, str]:
        if self._opened is None:
            try:
                store, root = fsspec.core.url_to_fs(self._url, **self._options)
                if "file" in store.protocol:
                    # The values are events of learners: nobody else on the machine may read them.
                    Path(root).mkdir(mode=0o700, parents=True, exist_ok=True)
            except Exception as error:
                raise self._down(error) from error
            self._opened = (store, root)
        return self._opened

    def _down(self, error: Exception) -> DependencyDown:
        # Clouds raise errors of their own libraries, so every class means the same here; no text, it may show keys.
        return DependencyDown(self._name, f"the file store does not take or give the file: {type(error).__name__}")
