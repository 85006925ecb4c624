"""How many rejected rows a run may have: some are a warning, more than the configured share are a failure."""

from __future__ import annotations

from include.config.markets import MOST_REJECTED_SHARE


class QuarantineShareError(Exception):
    """So many rows of a run were rejected that the rest cannot be trusted to be what was asked for."""


def check_share(rejected: int, total: int, allowed: float = MOST_REJECTED_SHARE, what: str = "this run") -> str | None:
    """A warning where some of the `total` rows read, `rejected` ones included, were rejected; None where none was.

    allowed: largest share, from 0 to 1, that is only a warning. Raises QuarantineShareError above it.
    """
    if not 0 <= rejected <= total:
        raise ValueError(f"{rejected} rows rejected of {total} read")
    if not rejected:
        return None
    share = rejected / total
    told = f"{rejected} of {total} rows of {what} were rejected ({share:.1%}) and lie in market.quarantine"
    if share > allowed:
        raise QuarantineShareError(f"{told}; {allowed:.1%} are allowed")
    return told
