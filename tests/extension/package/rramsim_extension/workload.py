"""A workload: which way the stripes of a small picture run, told by a network with one attention."""

import numpy as np

import rramsim as rs

LENGTH = WIDTH = 8


class Stripes(rs.Workload):
    """Pictures of 8 rows with noise; their stripes are upright, or they lie."""

    name = "stripes"

    def __init__(self):
        rng = np.random.default_rng(7)
        n = 160
        labels = np.arange(n) % 2
        waves = np.sign(np.sin(np.arange(8) * np.pi / 2 + np.pi / 4))
        upright = np.broadcast_to(waves, (8, 8))
        pictures = np.where(labels[:, None, None], upright.T, upright) + 0.1 * rng.standard_normal((n, 8, 8))
        self.inputs, self.labels = pictures[:120], labels[:120]
        self.calibration_inputs = pictures[120:]
        eye = np.eye(WIDTH)
        self.weights = {"query": eye, "key": eye, "value": eye, "classes": np.stack([waves, np.zeros(8)], axis=1) / 8}
        self.elementwise = (rs.Elementwise("mean of the rows", LENGTH * WIDTH),)

    def forward(self, compute, inputs):
        query, key, value = (compute.matmul(name, inputs)[:, None] for name in ("query", "key", "value"))
        mixed = compute.attention("attention", query / np.sqrt(WIDTH), key, value)[:, 0]
        scores = compute.matmul("classes", mixed.mean(axis=1))
        return scores + np.array([0.0, 0.3])
