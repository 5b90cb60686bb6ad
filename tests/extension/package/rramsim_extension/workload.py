"""A workload: which way the stripes of a small picture run, told by a network with one attention."""

import numpy as np

import rramsim as rs

LENGTH = WIDTH = 8


WAVES = np.sign(np.sin(np.arange(8) * np.pi / 2 + np.pi / 4))


def _pictures(labels):
    upright = np.broadcast_to(WAVES, (8, 8))
    noise = 0.1 * np.random.default_rng(7).standard_normal((len(labels), 8, 8))
    return np.where(labels[:, None, None], upright.T, upright) + noise


class Stripes(rs.Workload):
    """Pictures of 8 rows with noise; their stripes are upright, or they lie."""

    name = "stripes"
    labels = np.arange(120) % 2
    inputs = _pictures(labels)
    calibration_inputs = _pictures(np.arange(40) % 2)
    weights = {  # noqa: RUF012  (as the documentation has it)
        **dict.fromkeys(("query", "key", "value"), np.eye(WIDTH)),
        "classes": np.stack([WAVES, np.zeros(8)], axis=1) / 8,
    }
    elementwise = (rs.Elementwise("mean of the rows", LENGTH * WIDTH),)

    def forward(self, compute, inputs):
        query, key, value = (compute.matmul(name, inputs)[:, None] for name in ("query", "key", "value"))
        mixed = compute.attention("attention", query / np.sqrt(WIDTH), key, value)[:, 0]
        scores = compute.matmul("classes", mixed.mean(axis=1))
        return scores + np.array([0.0, 0.3])
