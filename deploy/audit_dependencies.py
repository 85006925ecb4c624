"""Known vulnerabilities of what requirements.lock pins: `make audit`. Exit 0: none; 1: some; 3: NOT AUDITED, and why.

pip-audit asks the advisory service. Before it does, one package version with well-known vulnerabilities is asked
about: a service that knows none of it would also keep silent about ours, and silence is not a clean bill.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

LOCK = Path(__file__).parents[1] / "requirements.lock"
KNOWN_TO_BE_VULNERABLE = "jinja2==2.4.1"
PIN = re.compile(r"^(?P<pin>[A-Za-z0-9._-]+==[^\s;\\]+)(?P<marker>\s*;[^\\]+)?", re.MULTILINE)
AT_ONCE = 4  # pip-audit asks about one package after the other
FEWEST = 20  # pins that are worth a process of their own
CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3

# Advisories that were looked at and do not concern us: id, reason and until when. None now.
ACCEPTED: Mapping[str, str] = {}


class NotAuditedError(RuntimeError):
    """Nothing is known about the packages; the message says why."""


class Finding(NamedTuple):
    """One vulnerability of one pinned package."""

    package: str
    version: str
    advisory: str
    fixed_in: str


def pins(lock: str) -> list[str]:
    """Requirements of a lock file without their hashes, markers kept. Raises ValueError where there are none."""
    found = [f"{each['pin']}{(each['marker'] or '').rstrip()}" for each in PIN.finditer(lock)]
    if not found:
        raise ValueError("the lock file pins nothing")
    return found


def ask(requirements: Sequence[str], service: str, url: str | None) -> list[Finding]:
    """What the service knows about these pins. Raises NotAuditedError where it does not answer or leaves one out."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "pins.txt")
        listed.write_text("\n".join(requirements))
        command = [sys.executable, "-m", "pip_audit", f"--requirement={listed}", "--no-deps", "--disable-pip"]
        command += ["--format=json", f"--vulnerability-service={service}", "--progress-spinner=off", "--desc=off"]
        command += [f"--cache-dir={folder}", *([f"--osv-url={url}"] if url else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answered = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        said = done.stderr.strip().splitlines() or ["pip-audit said nothing"]
        raise NotAuditedError(f"the advisory service {url or service} does not answer: {said[-1][:300]}") from error
    skipped = [each["name"] for each in answered if "skip_reason" in each]
    if skipped:
        raise NotAuditedError(f"{url or service} knows nothing of {len(skipped)} packages: {', '.join(skipped[:5])}")
    return [
        Finding(each["name"], each["version"], found["id"], ", ".join(found["fix_versions"]) or "no version")
        for each in answered
        for found in each["vulns"]
    ]


def audit(lock: Path, service: str, url: str | None = None) -> list[Finding]:
    """Vulnerabilities of the lock's pins, accepted ones left out. Raises NotAuditedError where nothing was learnt."""
    if not ask([KNOWN_TO_BE_VULNERABLE], service, url):
        raise NotAuditedError(
            f"{url or service} knows no vulnerability of {KNOWN_TO_BE_VULNERABLE}, which has some: it has no advisories"
        )
    wanted = pins(lock.read_text())
    count = max(1, min(AT_ONCE, len(wanted) // FEWEST))
    parts = [wanted[start::count] for start in range(count)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [finding for part in pool.map(lambda part: ask(part, service, url), parts) for finding in part]
    return sorted(finding for finding in found if finding.advisory not in ACCEPTED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was learnt; the exit status."""
    parser = argparse.ArgumentParser(description="Known vulnerabilities of what requirements.lock pins.")
    parser.add_argument("--lock", type=Path, default=LOCK)
    parser.add_argument("--service", choices=("osv", "pypi"), default=os.environ.get("AUDIT_SERVICE", "osv"))
    parser.add_argument("--url", default=os.environ.get("AUDIT_URL"), help="another address of an OSV service")
    options = parser.parse_args(arguments)
    try:
        findings = audit(options.lock, options.service, options.url)
    except NotAuditedError as error:
        print(f"NOT AUDITED: {error}")
        return NOT_AUDITED
    for each in findings:
        print(f"{each.package} {each.version}: {each.advisory}, mended in {each.fixed_in}")
    print(f"{len(pins(options.lock.read_text()))} pins audited, {len(findings)} vulnerabilities")
    return VULNERABLE if findings else CLEAN


if __name__ == "__main__":
    sys.exit(main())
