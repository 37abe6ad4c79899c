"""Sign flips, Wilcoxon's test and McNemar's test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test, rankdata, wilcoxon

from cliprpn.statistics.checks import mcnemar_p, sign_flip_p, wilcoxon_p


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("num_seeds", [1, 3])
def test_sign_flips_equal_all_assignments_of_scipy(seed: int, num_seeds: int) -> None:
    values = np.random.default_rng(seed).integers(-2, 4, 11) / num_seeds
    # Rounding to integers first, as scipy compares sums exactly.
    expected = permutation_test(
        (np.rint(values * num_seeds),), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    # scipy doubles the smaller tail, which is the same for a symmetric distribution.
    assert sign_flip_p(values, num_seeds) == pytest.approx(min(1, expected.pvalue))


def test_sign_flips_by_hand() -> None:
    assert sign_flip_p(np.array([1, 1, 1, 0])) == 2 / 8
    assert sign_flip_p(np.array([1, -1])) == 1
    assert sign_flip_p(np.zeros(5)) == 1
    assert sign_flip_p(np.ones(2600)) == 0  # 2^-2599 is less than the smallest number
    with pytest.raises(ValueError, match="1 / 2"):
        sign_flip_p(np.array([1 / 3]), 2)


def test_wilcoxon_of_known_values() -> None:
    """Wilcoxon's example of 1945 as in Siegel and Castellan: ranks 1 to 8, of which 1 and 3 are negative."""
    differences = np.array([19, 27, -1, 6, 7, 13, -4, 3])
    assert wilcoxon_p(differences) == pytest.approx(0.054688, abs=1e-6)
    assert wilcoxon_p(np.zeros(4)) == 1


def test_mcnemar_is_the_exact_test_of_discordant_rows() -> None:
    hits_a = np.array([1] * 10 + [0] * 2 + [1] * 5 + [0] * 3)
    hits_b = np.array([0] * 10 + [1] * 2 + [1] * 5 + [0] * 3)
    # 2 * (1 + 12 + 66) / 2^12
    assert mcnemar_p(hits_a, hits_b) == mcnemar_p(hits_b, hits_a) == pytest.approx(158 / 4096)
    assert mcnemar_p(hits_a, hits_a) == 1


@pytest.mark.parametrize("num", [3, 12, 51, 400])
@pytest.mark.parametrize("scale", [1, 3])
def test_wilcoxon_and_mcnemar_equal_those_of_scipy(num: int, scale: int) -> None:
    rng = np.random.default_rng(num + scale)
    for _ in range(5):
        differences = rng.integers(-4, 6, num) / scale
        nonzero = differences[differences != 0]
        ranks = np.sign(nonzero) * rankdata(np.abs(nonzero).round(9))
        if len(nonzero) > 50:
            expected = float(wilcoxon(differences, zero_method="wilcox").pvalue)
        elif len(nonzero) <= 12:
            every = permutation_test((ranks,), np.sum, permutation_type="samples", n_resamples=np.inf)
            expected = float(every.pvalue)
        else:
            continue
        assert wilcoxon_p(differences) == pytest.approx(min(1, expected))
        hits_a, hits_b = rng.random((2, num)) < 0.5
        discordant = int((hits_a != hits_b).sum())
        if discordant:
            exact = float(binomtest(int((hits_a & ~hits_b).sum()), discordant).pvalue)
            assert mcnemar_p(hits_a, hits_b) == pytest.approx(exact)


def test_wilcoxon_without_ties_is_exact_up_to_50_images() -> None:
    differences = np.random.default_rng(0).normal(0.2, 1, 50)
    assert wilcoxon_p(differences) == pytest.approx(float(wilcoxon(differences, mode="exact").pvalue))
