"""A trace of a softmax study that was never run: few points, with numbers that can be checked by hand."""

import json

import numpy as np

from rramsim.study.groups import DATASETS
from rramsim.trace.write import write_trace

MODELS = ["digits-vit", "minilm-l6"]
KINDS = ["false_match", "missed_match", "wrong_max"]
SWEEPS = [
    {"name": "ratio", "fixed": {"bank_rows": 8}, "vary": {"device.g_min_siemens": [1e-7, 1e-5, 1e-6]}},
    {"name": "whole 4", "fixed": {"format.integer_bits": 4}, "vary": {"format.fraction_bits": [1, 2, 3]}},
    {"name": "whole 5", "fixed": {}, "vary": {"format.fraction_bits": [1, 2]}},
    {
        "name": "two",
        "fixed": {},
        "vary": {"sense.reference": ["fixed", "line"], "sense.reference_share": [0.0, 0.5, 0.01]},
    },
    {"name": "one", "fixed": {"lut_bits": 4}, "vary": {}},
]


def settings_of(sweep):
    """Values by key of every point."""
    points = [{}]
    for key, values in sweep["vary"].items():
        points = [{**point, key: value} for point in points for value in values]
    return points


def write_swept(path, tolerance):
    """Write the trace, in two trials of every point; ``tolerance`` is that of the study."""
    points = [(each["name"], values, trial) for each in SWEEPS for values in settings_of(each) for trial in (0, 1)]
    n = len(points)
    kl = np.stack([0.01 * (1 + np.arange(n)), np.full(n, 0.5)], axis=1)
    count = np.zeros((n, 2, 3), np.int64)
    count[0:2, 0] = [[3, 1, 2], [5, 3, 0]]
    data = {
        "sweep/name": [name for name, _, _ in points],
        "sweep/label": [json.dumps(values) for _, values, _ in points],
        "sweep/settings": [json.dumps(values) for _, values, _ in points],
        "sweep/trial": [trial for _, _, trial in points],
        "sweep/model": MODELS,
        "sweep/mean_error": kl / 10,
        "sweep/max_error": kl,
        "sweep/kl": kl,
        "sweep/agreement": np.where(np.arange(n)[:, None] % 2, 1.0, 0.9) * np.ones((1, 2)),
        "sweep/elements": np.full((n, 2), 50),
        "sweep/vectors": np.full((n, 2), 10),
        "sweep/error_kind": KINDS,
        "sweep/error_count": count,
    }
    softmax = {"format": {"integer_bits": 5, "fraction_bits": 2}, "device": {"title": "Cell", "source": "", "note": ""}}
    study = {"scores": {"tolerance": tolerance}, "softmax": softmax, "sweep": SWEEPS}
    attributes = {
        "title": "swept",
        "seed": 1,
        "study": json.dumps(study),
        "provenance": '{"rramsim": "0", "created": "now"}',
    }
    write_trace(path, attributes, data, {}, DATASETS)
    return path
