import pytest

from domain.core.levels import GapLevel
from domain.gap_analysis.rules.scoring import gap_score

HIGH, MEDIUM, LOW = GapLevel.HIGH, GapLevel.MEDIUM, GapLevel.LOW


@pytest.mark.parametrize(
    ("impact", "probability", "score"),
    [
        (HIGH, HIGH, 1.0),
        (HIGH, MEDIUM, 0.88),
        (HIGH, LOW, 0.79),
        (MEDIUM, HIGH, 0.72),
        (MEDIUM, MEDIUM, 0.6),
        (MEDIUM, LOW, 0.51),
        (LOW, HIGH, 0.51),
        (LOW, MEDIUM, 0.39),
        (LOW, LOW, 0.3),
    ],
)
def test_score_of_every_pair_is_exact(
    impact: GapLevel, probability: GapLevel, score: float
) -> None:
    assert gap_score(impact, probability) == score
    assert str(gap_score(impact, probability)) == str(score)
