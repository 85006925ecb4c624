"""Each road to each verdict, and that the reason carries the figures it rests on."""

from __future__ import annotations

import pytest

from include.forecasting.promotion import ChampionEvidence, decide
from include.forecasting.significance import DieboldMariano


def outcome(p_value: float, *, gain: float = 1e-6) -> DieboldMariano:
    return DieboldMariano(gain, 0.0, p_value, 4_320)


STRONG, WEAK = outcome(0.002), outcome(0.03)


@pytest.mark.parametrize(
    ("over_naive", "champion", "verdict"),
    [
        (STRONG, None, "promoted"),
        (WEAK, None, "naive"),
        (STRONG, ChampionEvidence("3", 0.01, outcome(0.04)), "promoted"),
        (STRONG, ChampionEvidence("3", 0.01, outcome(0.06)), "kept"),
        (WEAK, ChampionEvidence("3", 0.01, outcome(0.04)), "kept"),
        (STRONG, ChampionEvidence("3", -0.01, outcome(0.06)), "promoted"),
        (STRONG, ChampionEvidence("3", -0.01, outcome(0.6, gain=-1e-6)), "retired"),
        (WEAK, ChampionEvidence("3", -0.01, outcome(0.04)), "retired"),
        (WEAK, ChampionEvidence("3", 0.0, outcome(1.0, gain=0.0)), "retired"),
        (STRONG, ChampionEvidence("3", unjudged="only 7 rows"), "kept"),
        (STRONG, ChampionEvidence("3", unusable="an input is gone"), "promoted"),
        (WEAK, ChampionEvidence("3", unusable="an input is gone"), "retired"),
    ],
)
def test_verdict(over_naive: DieboldMariano, champion: ChampionEvidence | None, verdict: str) -> None:
    decision = decide(0.004, over_naive, champion)
    assert decision.verdict == verdict
    assert f"p = {over_naive.p_value:.3f}" in decision.reason
    assert "+0.40%" in decision.reason
    if champion:
        assert "champion 3" in decision.reason
        assert (champion.unjudged or champion.unusable or "") in decision.reason
