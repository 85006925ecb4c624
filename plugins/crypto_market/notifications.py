"""Price alerts on their way out: into the task's log, or through the notifier that an Airflow connection names.

The connection `price_alerts` (any type) has in its extra
`{"notifier": "dotted.path.of.a.Notifier", "arguments": {"text": "{{ message }}"}}`. Arguments go to the notifier's
constructor; those it declares as template fields are rendered with the task's context and, beside it, `message` (one
line) and `alert` (the fields of include/transforms/notices.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.transforms.notices import Notice

CONNECTION_ID = "price_alerts"


class NotifierConfigurationError(ValueError):
    """The connection does not name a notifier that can be made."""


class LogNotifier(BaseNotifier):
    """Writes the message to the task's log."""

    def notify(self, context: Context) -> None:
        self.log.warning("price alert: %s", context["message"])  # type: ignore[typeddict-item]


def sender(context: Context, conn_id: str = CONNECTION_ID) -> Callable[[Notice], None]:
    """A function that sends one notice, raising what the notifier raises; without the connection it is logged.

    Raises NotifierConfigurationError for a connection that names no notifier, or arguments it does not take.
    """
    make = _factory(conn_id)

    def send(notice: Notice) -> None:
        make()({**context, "alert": notice.as_dict(), "message": notice.message})

    return send


def _factory(conn_id: str) -> Callable[[], BaseNotifier]:
    try:
        extra = BaseHook.get_connection(conn_id).extra_dejson
    except AirflowNotFoundException:
        return LogNotifier
    path, arguments = extra.get("notifier"), extra.get("arguments") or {}
    if not isinstance(path, str) or not isinstance(arguments, dict):
        raise NotifierConfigurationError(
            f'the extra of connection {conn_id!r} must be {{"notifier": "dotted.path.Class", "arguments": {{...}}}}'
        )
    _mask(arguments)
    notifier = _class(path, conn_id)

    def make() -> BaseNotifier:
        try:
            return notifier(**deepcopy(arguments))
        except TypeError as error:
            names = ", ".join(map(str, arguments)) or "none"
            raise NotifierConfigurationError(f"{path} does not take the arguments given ({names})") from error

    make()  # a mistake shows before anything is due
    return make


def _class(path: str, conn_id: str) -> type[BaseNotifier]:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise NotifierConfigurationError(f"connection {conn_id!r} names {path!r}, which cannot be imported") from error
    if not (isinstance(found, type) and issubclass(found, BaseNotifier)):
        raise NotifierConfigurationError(f"connection {conn_id!r} names {path!r}, which is no notifier")
    return found


def _mask(arguments: Mapping[str, Any]) -> None:
    """Keep what is written into the arguments out of every log: an address may be as secret as a password."""
    from airflow.sdk.log import mask_secret

    for text in _texts(arguments):
        if "{{" not in text and "{%" not in text:
            mask_secret(text)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
