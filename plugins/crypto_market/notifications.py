"""Price alerts and missed deadlines on their way out: into the log, or through the notifier that a connection names.

The connection `price_alerts` (or `deadline_alerts`; any type) has in its extra
`{"notifier": "dotted.path.of.a.Notifier", "arguments": {"text": "{{ message }}"}}`. Texts in the arguments are
templates of `message` (one line) and `alert` (its fields, see include/transforms/notices.py) and of nothing else. They
are rendered here, once, in Jinja's sandbox: the DAG's own environment evaluates Python, and whoever may write a
connection may not for that reason run code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

if TYPE_CHECKING:
    from airflow.sdk import Context

CONNECTION_ID = "price_alerts"

# What a notifier's own code learns of the run: plain texts. Not `dag`, by whose environment Airflow would render.
OF_THE_RUN = ("run_id", "task_instance_key_str", "ts")


class NotifierConfigurationError(ValueError):
    """The connection does not name a notifier that can be made."""


class Tellable(Protocol):
    """What can be told: one line, and fields for templates."""

    @property
    def message(self) -> str: ...

    def as_dict(self) -> dict[str, Any]: ...


class LogNotifier(BaseNotifier):
    """Writes the message to the log of the task or callback."""

    def notify(self, context: Context) -> None:
        self.log.warning("alert: %s", context["message"])  # type: ignore[typeddict-item]


def sender(
    context: Mapping[str, Any] | Context, conn_id: str = CONNECTION_ID, example: Tellable | None = None
) -> Callable[[Tellable], None]:
    """A function that sends one notice, raising what the notifier raises; without the connection it is logged.

    example: what is tried before anything is due; a price alert if None. Raises NotifierConfigurationError for a
    connection that names no notifier, arguments it does not take, and templates that cannot be rendered; the function
    raises it for what shows only with a certain notice.
    """
    from include.transforms.notices import EXAMPLE

    make = _factory(conn_id)
    make(_names(example or EXAMPLE))  # a mistake shows before anything is due
    of_the_run = {name: value for name, value in context.items() if name in OF_THE_RUN}

    def send(notice: Tellable) -> None:
        names = _names(notice)
        # not by calling the notifier: that renders what is rendered a second time
        make(names).notify({**of_the_run, **names})  # type: ignore[typeddict-item]

    return send


def _names(notice: Tellable) -> dict[str, Any]:
    return {"message": notice.message, "alert": notice.as_dict()}


def _factory(conn_id: str) -> Callable[[Mapping[str, Any]], BaseNotifier]:
    try:
        extra = BaseHook.get_connection(conn_id).extra_dejson
    except AirflowNotFoundException:
        return lambda _: LogNotifier()
    path, arguments = extra.get("notifier"), extra.get("arguments") or {}
    if not isinstance(path, str) or not isinstance(arguments, dict):
        raise NotifierConfigurationError(
            f'the extra of connection {conn_id!r} must be {{"notifier": "dotted.path.Class", "arguments": {{...}}}}'
        )
    _mask(arguments)
    notifier = _class(path, conn_id)

    def make(names: Mapping[str, Any]) -> BaseNotifier:
        rendered = {name: _rendered(value, names, f"{conn_id}.{name}") for name, value in arguments.items()}
        try:
            return notifier(**rendered)
        except TypeError as error:
            given = ", ".join(map(str, arguments)) or "none"
            raise NotifierConfigurationError(f"{path} does not take the arguments given ({given})") from error

    return make


def _rendered(value: Any, names: Mapping[str, Any], where: str) -> Any:
    """A copy of value with its texts rendered, however deep they lie; whatever they say, they remain texts."""
    if isinstance(value, str):
        environment = SandboxedEnvironment(undefined=StrictUndefined, cache_size=0)
        try:
            return environment.from_string(value).render(names)
        except Exception as error:  # a template may raise anything; a syntax error's own text quotes it: an address
            reason = getattr(error, "message", None) or error
            raise NotifierConfigurationError(
                f"argument {where} cannot be rendered, {type(error).__name__}: {reason} (names: {', '.join(names)})"
            ) from None
    if isinstance(value, Mapping):
        return {key: _rendered(each, names, where) for key, each in value.items()}
    if isinstance(value, list):
        return [_rendered(each, names, where) for each in value]
    return value


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
