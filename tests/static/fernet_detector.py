"""A plugin for detect-secrets: Fernet keys, quoted or not, which its own rules find only within quotes."""

from __future__ import annotations

import re

from detect_secrets.plugins.base import RegexBasedDetector


class FernetKeyDetector(RegexBasedDetector):  # type: ignore[misc]
    """32 bytes in URL-safe base64 that are not plainly made up of one character."""

    secret_type = "Fernet Key"
    denylist = (re.compile(r"(?<![A-Za-z0-9_=/-])(?!([A-Za-z0-9_-])\1{15})([A-Za-z0-9_-]{43}=)(?![A-Za-z0-9_=-])"),)
