"""HTTP answers all venues share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Compact JSON with the charset the venues declare."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json;charset=UTF-8")


def not_served(reason: str) -> Response:
    """501: a question the real venue answers and the replay exchange does not."""
    return json_answer({"replay": f"not served by the replay exchange: {reason}"}, 501)
