"""How much a gap question is worth asking."""

from domain.core.levels import GapLevel

# Tenths, so that the weighted sum stays in whole hundredths and no binary float rounds wrong.
TENTHS = {GapLevel.HIGH: 10, GapLevel.MEDIUM: 6, GapLevel.LOW: 3}


def gap_score(impact: GapLevel, probability: GapLevel) -> float:
    """Priority between 0 and 1, exact to two decimals: 0.7 · impact + 0.3 · probability.

    HIGH counts 1.0, MEDIUM 0.6 and LOW 0.3 (issue 2, item 4), so MEDIUM impact with HIGH
    probability is 0.72.
    """
    return (7 * TENTHS[impact] + 3 * TENTHS[probability]) / 100
