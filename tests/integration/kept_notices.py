"""A notifier that keeps what it was given, and fails when told to; named by its path in an Airflow connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import BaseNotifier, Context


class KeepingNotifier(BaseNotifier):
    """Keeps what it was made with in `kept`, what it was told beside in `contexts`; raises while `broken`."""

    template_fields: Sequence[str] = ("text",)
    kept: ClassVar[list[tuple[Any, str]]] = []
    contexts: ClassVar[list[Context]] = []
    broken: ClassVar[bool] = False

    def __init__(self, *, text: Any, token: str = "") -> None:
        super().__init__()
        self.text = text
        self.token = token

    def notify(self, context: Context) -> None:
        if KeepingNotifier.broken:
            raise ConnectionError("nobody answers")
        KeepingNotifier.kept.append((self.text, self.token))
        KeepingNotifier.contexts.append(context)
