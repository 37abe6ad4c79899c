"""`npm run bench:simulation [-- DRAWS]`: how often the report's statements about synthetic settings are right."""

from __future__ import annotations

import sys
from time import perf_counter

import numpy as np
from simulated_coverage import Outcome, simulate
from synthetic_hits import SyntheticSetting, draw_measurements

from cliprpn.statistics.families import pairwise
from cliprpn.statistics.intervals import compare
from cliprpn.statistics.measurement import Measurement
from cliprpn.statistics.planning import detectable_difference
from cliprpn.statistics.resampling import optimism, rank_intervals, resample_weights

NUM_DRAWS = 1000


def main() -> None:
    num_draws = int(sys.argv[1]) if len(sys.argv) > 1 else NUM_DRAWS
    started = perf_counter()
    print(coverage_table(num_draws), flush=True)
    print(false_claims_table(num_draws), flush=True)
    print(power_table(num_draws))
    print(optimism_table(max(num_draws // 10, 1)))
    print(time_table())
    print(f"{num_draws} draws a row, {(perf_counter() - started) / 60:.1f} minutes.")


def equal(num: int, training_sd: float, num_seeds: int = 3) -> list[SyntheticSetting]:
    return [SyntheticSetting(0.7, training_sd, num_seeds) for _ in range(num)]


def coverage_table(num_draws: int) -> str:
    fixed = SyntheticSetting(0.7, num_seeds=1, has_seeds=False)
    cases = {
        **{f"five settings, {sd:g} points": equal(5, sd / 100) for sd in (0, 0.43, 1, 2)},
        "five settings, 1 point, 2 seeds": equal(5, 0.01, 2),
        "five settings, 1 point, 5 seeds": equal(5, 0.01, 5),
        "five settings, 1 point, 2, 3, 5, 3 and 8 seeds": [
            SyntheticSetting(0.7, 0.01, num) for num in (2, 3, 5, 3, 8)
        ],
        **{
            f"one of 3 points and four of 0.4, pairs with it, {num} seeds": [
                SyntheticSetting(0.7, 0.03, num),
                *equal(4, 0.004, num),
            ]
            for num in (2, 3, 5)
        },
        "a fixed checkpoint and two settings of 1 point, pairs with it": [fixed, *equal(2, 0.01)],
    }
    rows = []
    for name, settings in cases.items():
        only_first = "pairs with it" in name
        outcome = simulate(
            settings, num_draws, is_chosen=lambda i, j, only_first=only_first: i == 0 or not only_first
        )
        rows.append(
            [
                name,
                percent(outcome.coverage),
                f"{outcome.half_width:.1f}",
                percent(outcome.images_only_coverage),
            ]
        )
    return table(
        [
            "standard deviation of training; 3 seeds",
            "coverage",
            "half width (points)",
            "coverage of images only",
        ],
        rows,
    )


def false_claims_table(num_draws: int) -> str:
    rows = []
    for num in (2, 5, 20):
        for sd in (0, 0.43, 1, 2):
            outcome: Outcome = simulate(equal(num, sd / 100), num_draws, seed=1)
            rows.append(
                [
                    f"{num} equal settings, {sd:g} points",
                    percent(outcome.beats_all),
                    percent(outcome.any_row),
                    percent(outcome.any_pair),
                    percent(outcome.images_only_any_row),
                ]
            )
    return table(
        [
            "standard deviation of training; 3 seeds",
            "a best of all",
            "the best differs from some (Holm)",
            "some pair differs (Holm)",
            "the best differs from some (images only, unadjusted)",
        ],
        rows,
    )


def power_table(num_draws: int) -> str:
    rows = []
    for sd, num_seeds in ((0.0, 3), (0.0043, 3), (0.01, 3), (0.01, 5), (0.02, 3)):
        pilot = [
            compare(*pair) for pair in draw_measurements(equal(2, sd, num_seeds), num_draws // 4, seed=2)
        ]
        planned = root_mean_square([detectable_difference(difference) or 0 for difference in pilot])
        settings = [SyntheticSetting(0.7 + planned, sd, num_seeds), SyntheticSetting(0.7, sd, num_seeds)]
        found = simulate(settings, num_draws, seed=3).found
        rows.append([f"{100 * sd:g} points, {num_seeds} seeds", f"{100 * planned:.1f}", percent(found)])
    return table(
        ["standard deviation of training", "detectable difference (points)", "found (80 planned)"], rows
    )


def root_mean_square(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def optimism_table(num_draws: int) -> str:
    rows = []
    for num in (2, 5, 20):
        draws = list(draw_measurements(equal(num, 0.0043), num_draws, seed=4))
        weights = resample_weights(draws[0][0].num_images)
        true = np.mean([max(setting.mean for setting in each) - 0.7 for each in draws])
        estimated = np.mean([optimism(each, weights) for each in draws])
        rows.append([f"{num} equal settings, 0.43 points", f"{100 * true:.1f}", f"{100 * estimated:.1f}"])
    return table(["standard deviation of training; 3 seeds", "true optimism (points)", "estimated"], rows)


def time_table() -> str:
    """Seconds for as many settings as a large sweep has, on as many images as RefCOCOg's test split."""
    rng = np.random.default_rng(0)
    settings = [
        Measurement(rng.normal(0.7, 0.01, 3), rng.standard_normal((3, 2600)) / 1e5, has_seeds=True)
        for _ in range(333)
    ]
    started = perf_counter()
    pairwise(settings).p_adjusted()
    pairs_s = perf_counter() - started
    started = perf_counter()
    weights = resample_weights(2600)
    rank_intervals(settings, weights)
    optimism(settings, weights)
    ranks_s = perf_counter() - started
    return table(
        ["333 settings of 3 seeds, 2,600 images", "seconds"],
        [["all 55,278 pairs, with Holm", f"{pairs_s:.2f}"], ["ranks and optimism", f"{ranks_s:.2f}"]],
    )


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


if __name__ == "__main__":
    main()
