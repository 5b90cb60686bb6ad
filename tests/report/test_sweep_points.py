"""The sweeps of a trace: their points in order, and what was measured there."""

import numpy as np
from helpers.swept import MODELS, SWEEPS, settings_of

from rramsim.report.sweep_points import sweeps


def test_sweeps_and_points(swept):
    read = sweeps(swept)
    assert [(each.number, each.name, each.fixed) for each in read] == [
        (k, plan["name"], plan["fixed"]) for k, plan in enumerate(SWEEPS)
    ]
    for sweep, plan in zip(read, SWEEPS, strict=True):
        assert sweep.models == MODELS
        assert [point.settings for point in sweep.points] == settings_of(plan)
        assert sweep.keys == list(plan["vary"])


def test_what_was_measured(swept):
    point = sweeps(swept)[0].points[0]
    np.testing.assert_allclose(point.kl, [[0.01, 0.5], [0.02, 0.5]])
    np.testing.assert_allclose(point.error, point.kl / 10)
    np.testing.assert_allclose(point.agreement, [[0.9, 0.9], [1.0, 1.0]])
    assert point.rates == {"false_match": 0.04, "missed_match": 0.02, "wrong_max": 0.05}
    assert point.mismatches == 0.03  # 12 in 4 x 50 scores, each searched for twice
