"""Plays the scenes, those with the usual settings once."""

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.variables.case import Case, Scene
from tests.variables.environment import Services, Stage


class Theatre:
    """Stages in one directory, with services that they share."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()
        self._services = Services()
        self._usual: dict[tuple[Scene, frozenset[tuple[str, str]]], Stage] = {}
        self._stages = 0

    def __enter__(self) -> Self:
        self._stack.enter_context(self._services)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def changed(self, case: Case) -> Stage:
        """The case's scene with the variable set."""
        return self._play(case.scene, {**case.also, case.variable: case.value})

    def usual(self, case: Case) -> Stage:
        """The case's scene without it."""
        name = (case.scene, frozenset(case.also.items()))
        if name not in self._usual:
            self._usual[name] = self._play(case.scene, dict(case.also))
        return self._usual[name]

    def _play(self, scene: Scene, env: dict[str, str]) -> Stage:
        directory = self._directory / str(self._stages)
        directory.mkdir()
        self._stages += 1
        stage = Stage(directory, self._services, **{name: self._services.addressed(text) for name, text in env.items()})
        self._stack.callback(stage.close)
        scene(stage)
        return stage
