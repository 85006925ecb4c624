"""No credential is ever committed: every tracked file is scanned, and what the scan takes for one was looked at."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[2]
REVIEWED = Path(__file__).parent / "reviewed_secrets.json"
# Pictures; the locks, which are nothing but hashes of published files; and the list of hashes of what was looked at.
LEFT_OUT = re.compile(r"\.(png|parquet|gz|zip)$|^requirements\.(lock|txt)$|/reviewed_secrets\.json$")
SETTINGS = {
    "plugins_used": [
        *({"name": f"{name}Detector"} for name in ("AWSKey", "BasicAuth", "GitHubToken", "Keyword", "PrivateKey")),
        *({"name": name} for name in ("AzureStorageKeyDetector", "JwtTokenDetector", "SlackDetector")),
        {"name": "Base64HighEntropyString", "limit": 4.5},
        {"name": "HexHighEntropyString", "limit": 3.0},
        {"name": "FernetKeyDetector", "path": f"file://{Path(__file__).parent / 'fernet_detector.py'}"},
    ],
    "filters_used": [
        {"path": f"detect_secrets.filters.{name}"}
        for name in (
            "heuristic.is_indirect_reference",
            "heuristic.is_likely_id_string",
            "heuristic.is_not_alphanumeric_string",
            "heuristic.is_potential_uuid",
            "heuristic.is_prefixed_with_dollar_sign",
            "heuristic.is_sequential_string",
            "heuristic.is_templated_secret",
        )
    ],
}  # fmt: skip


def findings(paths: Sequence[str]) -> set[tuple[str, str, str, int]]:
    """File, kind, SHA-1 of the text and line of all that looks like a secret."""
    with transient_settings(SETTINGS):
        found = SecretsCollection(root=str(ROOT))
        for path in paths:
            found.scan_file(path)
    # A test's passwords are made up: there, only what looks like a real one counts, not what is merely called one.
    return {
        (path, each.type, each.secret_hash, each.line_number)
        for path, each in found
        if not (path.startswith("tests/") and each.type == "Secret Keyword")
    }


def tracked() -> list[str]:
    """Every file git knows of; skipped outside a clone."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"not a clone, so nothing can be committed from here: {listed.stderr.strip()}")
    return [
        path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file() and not LEFT_OUT.search(path)
    ]


def test_no_tracked_file_holds_a_secret_nobody_looked_at() -> None:
    files = tracked()
    assert len(files) > 500
    with ProcessPoolExecutor(2) as pool:
        found = set().union(*pool.map(findings, (files[0::2], files[1::2])))
    reviewed = {(path, each["sha1"]) for path, listed in json.loads(REVIEWED.read_text()).items() for each in listed}
    unknown = sorted(f"{path}:{line}: {kind}" for path, kind, digest, line in found if (path, digest) not in reviewed)
    assert unknown == [], "take it out; or, where it is none, say why in tests/static/reviewed_secrets.json"
    assert {(path, digest) for path, _, digest, _ in found} == reviewed, (
        "reviewed, but there no more: take it out there"
    )


# Made here, so that this file is not itself a finding.
RANDOM = hashlib.sha256(b"planted").digest()
FERNET = base64.urlsafe_b64encode(RANDOM).decode()
PASSWORD = base64.b32encode(RANDOM).decode()[:16]
PLANTED = {
    "an AWS key": ("settings.py", f"KEY = 'AKIA{PASSWORD}'"),
    "a private key": ("notes.md", f"-----BEGIN {'RSA'} PRIVATE KEY-----\nMIIEow=="),
    "a Fernet key in an env file": ("example.env", f"AIRFLOW_FERNET_KEY={FERNET}"),
    "a Fernet key in code": ("keys.py", f"key = '{FERNET}'"),
    "a password in a URL": ("dsn.txt", f"postgresql://warehouse:{PASSWORD}@db.internal:5432/warehouse"),
    "a password in YAML": ("compose.yaml", f"services:\n  db:\n    password: '{PASSWORD}'\n"),
    "a random secret": ("config.py", f"SALT = '{base64.b64encode(RANDOM).decode()}'"),
    "a hexadecimal secret": ("config.py", f"SEED = '{RANDOM.hex()}'"),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found(kind: str, tmp_path: Path) -> None:
    name, text = PLANTED[kind]
    path = tmp_path / name
    path.write_text(text + "\n")
    with transient_settings(SETTINGS):
        found = SecretsCollection()
        found.scan_file(str(path))
    assert list(found), kind


def test_what_is_no_secret_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "fine.env"
    path.write_text(
        "POSTGRES_PASSWORD=\nPASSWORD=${WAREHOUSE_PASSWORD:?run deploy/make_env.sh}\nBIND_ADDRESS=127.0.0.1\n"
    )
    with transient_settings(SETTINGS):
        found = SecretsCollection()
        found.scan_file(str(path))
    assert list(found) == []
