"""Draw docs/images/softmax-*.png from traces of the four studies of the softmax that come with rramsim.

``python docs/figures/softmax_studies.py`` takes about three minutes, and always draws the same pictures. With a folder
as its argument it keeps the traces there, or draws those that are there.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

import rramsim as rs

IMAGES = Path(__file__).parents[1] / "images"
BLUE, ORANGE, GREEN, GREY = "#2a6fbb", "#d9822b", "#2e8b57", "#999999"
COLORS = {"digits-vit": BLUE, "minilm-l6": ORANGE, "glassllm": GREEN}


class Sweeps:
    """The points of a trace by the name of their sweep, means over the trials."""

    def __init__(self, path: Path) -> None:
        with rs.open_trace(path) as trace:
            self.table = {
                name: trace[f"sweep/{name}"] for name in ("name", "settings", "mean_error", "kl", "agreement")
            }
            self.models = [str(model) for model in trace["sweep/model"]]
            kinds = [str(kind) for kind in trace["sweep/error_kind"]]
            count, self.elements = trace["sweep/error_count"], trace["sweep/elements"]
        wrong = count[:, :, [kinds.index("false_match"), kinds.index("missed_match")]].sum(axis=2)
        self.table["mismatches"] = wrong / (2 * self.elements)

    def points(self, sweep: str) -> list[tuple[dict[str, Any], dict[str, NDArray[np.float64]]]]:
        """Settings and means, by model, of every point of a sweep."""
        rows = np.flatnonzero(np.asarray(self.table["name"]) == sweep)
        settings = [str(self.table["settings"][k]) for k in rows]
        points = []
        for text in dict.fromkeys(settings):
            trials = rows[[other == text for other in settings]]
            keys = ("mean_error", "kl", "agreement", "mismatches")
            points.append((json.loads(text), {key: self.table[key][trials].mean(axis=0) for key in keys}))
        return points


def value(settings: dict[str, Any]) -> Any:
    """The first of the values that are varied."""
    return next(iter(settings.values()))


def bare(axes: Axes) -> None:
    """No frame where there is no scale."""
    axes.spines[["top", "right"]].set_visible(False)


def formats(sweeps: Sweeps) -> Figure:
    """Divergence against the width of the format: a line for each number of integer bits."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    for axes, model in zip(figure.subplots(1, 3, sharey=True), sweeps.models, strict=True):
        for integer, shade in zip(range(3, 7), ("#c6dbef", "#6baed6", "#2171b5", "#08306b"), strict=True):
            points = sweeps.points(f"{integer} integer bits")
            bits = [integer + int(value(settings)) for settings, _ in points]
            kl = [means["kl"][sweeps.models.index(model)] for _, means in points]
            axes.semilogy(bits, kl, "o-", color=shade, label=f"{integer} integer bits", markersize=4)
        axes.axhline(0.01, color=GREY, linewidth=0.8, linestyle="--")
        axes.set_title(model, fontsize="medium")
        axes.set_xlabel("bits of the score")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        bare(axes)
    figure.axes[0].set_ylabel("KL divergence (nat)")
    figure.axes[2].legend(frameon=False, fontsize="small")
    return figure


LIMITS = (
    ("on/off ratio with programming spread", "on/off ratio (100 uS, spread 5 uS)", lambda x: 1e-4 / x, True),
    ("programming spread", "programming spread (uS of 100)", lambda x: 1e6 * x, False),
    ("stuck cells, conducting", "stuck on (share of the cells)", lambda x: x, True),
    ("stuck cells, not conducting", "stuck off (share of the cells)", lambda x: x, True),
    ("offset of the sense amplifiers", "offset of the amplifiers (share)", lambda x: x, False),
    ("noise of the sense amplifiers", "noise of the amplifiers (share)", lambda x: x, False),
    ("read noise of the cells", "read noise (share of a cell)", lambda x: x, False),
)


def limits(sweeps: Sweeps) -> Figure:
    """Mean error of a probability against each non-ideality."""
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    every = figure.subplots(2, 4, sharey=True).ravel()
    for axes, (sweep, label, scale, logarithmic) in zip(every, LIMITS, strict=False):
        points = [each for each in sweeps.points(sweep) if not (logarithmic and value(each[0]) == 0)]
        for k, model in enumerate(sweeps.models):
            x = [scale(float(value(settings))) for settings, _ in points]
            axes.plot(
                x, [means["mean_error"][k] for _, means in points], "o-", color=COLORS[model], markersize=3, label=model
            )
        axes.set_xscale("log" if logarithmic else "linear")
        axes.set_xlabel(label)
    axes = every[-1]
    for rows, style in ((64, "o-"), (512, "s--")):
        points = [each for each in sweeps.points("wire resistance") if each[0]["bank_rows"] == rows]
        x = [float(value(settings)) for settings, _ in points]
        error = [means["mean_error"].mean() for _, means in points]
        axes.plot(x, error, style, color="black", markersize=3, label=f"banks of {rows} (mean)")
    axes.set_xscale("symlog", linthresh=0.3)
    axes.set_xlabel("wires (ohm a cell)")
    axes.legend(frameon=False, fontsize="small")
    for axes in every:
        axes.set_yscale("log")
        bare(axes)
    for axes in every[::4]:
        axes.set_ylabel("mean error of a probability")
    every[0].legend(frameon=False, fontsize="small")
    return figure


def devices(sweeps: Sweeps) -> Figure:
    """Mean error of a probability for every published device: no wires, wires with banks, wires without."""
    plain = {settings["device.preset"]: means for settings, means in sweeps.points("published devices")}
    wired = {
        (settings["device.preset"], settings["bank_rows"]): means
        for settings, means in sweeps.points("published devices, wires of 1 ohm")
    }
    names = sorted((name for name in plain if name != "ideal"), key=lambda name: wired[name, 64]["mean_error"].mean())
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes, place = figure.subplots(), np.arange(len(names))
    axes.axvline(
        plain["ideal"]["mean_error"].mean(), color=GREY, linewidth=0.8, linestyle="--", label="the format itself"
    )
    for label, color, marker, table in (
        ("cells alone", GREEN, "o", plain),
        ("1 ohm wires, banks of 64", BLUE, "s", {name: wired[name, 64] for name in names}),
        ("1 ohm wires, 512 rows", ORANGE, "^", {name: wired[name, 512] for name in names}),
    ):
        axes.plot(
            [table[name]["mean_error"].mean() for name in names], place, marker, color=color, label=label, markersize=5
        )
    axes.set_yticks(place, names, fontsize="small")
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("mean error of a probability, mean of three models")
    axes.grid(axis="y", linewidth=0.3)
    axes.legend(frameon=False, fontsize="small", loc="upper right")
    axes.xaxis.set_minor_formatter(NullFormatter())
    bare(axes)
    return figure


def margin(sweeps: Sweeps) -> Figure:
    """Wrong matches against the place of the reference, and against the length of the word."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, sweep, key in (
        (left, "place of the reference", "reference_share"),
        (right, "length of the word", "fraction_bits"),
    ):
        for kind, color in (("fixed", ORANGE), ("global", BLUE), ("line", GREEN)):
            every = [({name.split(",")[0]: v for name, v in each[0].items()}, each[1]) for each in sweeps.points(sweep)]
            points = [each for each in every if each[0]["sense.reference"] == kind]
            x = [
                next(float(v) for name, v in settings.items() if name.split(",")[0].endswith(key))
                for settings, _ in points
            ]
            x = [5 + each for each in x] if key == "fraction_bits" else x
            wrong = [max(means["mismatches"].mean(), 1e-7) for _, means in points]
            axes.semilogy(x, wrong, "o-", color=color, label=f"reference: {kind}", markersize=4)
        bare(axes)
    left.set_xlabel("where the reference lies, 0: match, 1: one differing bit")
    left.set_ylabel("wrong matches per search (floor 1e-7)")
    right.set_xlabel("bits of a word")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.legend(frameon=False, fontsize="small")
    return figure


def steps(sweeps: Sweeps) -> Figure:
    """What each step does alone, and what is left without it."""
    names = ("search", "subtract", "exponential", "lookup", "sum")
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    alone = {
        tuple(value(settings)): means["mean_error"].mean() for settings, means in sweeps.points("one step with errors")
    }
    without = {
        tuple(value(settings)): means["mean_error"].mean()
        for settings, means in sweeps.points("one step without errors")
    }
    left.bar(
        ["none", *names, "all"],
        [alone[names], *(alone[tuple(n for n in names if n != step)] for step in names), alone[()]],
        color=BLUE,
    )
    right.bar(["none", *names], [without[()], *(without[(step,)] for step in names)], color=ORANGE)
    left.set_title("steps with errors", fontsize="medium")
    right.set_title("steps without errors", fontsize="medium")
    left.set_ylabel("mean error of a probability")
    for axes in (left, right):
        axes.tick_params(axis="x", rotation=30)
        bare(axes)
    return figure


def main() -> None:
    """Run what lacks, and draw."""
    with TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        traces = {name: folder / f"{name}.h5" for name in ("formats", "limits", "margin", "steps")}
        for name, path in traces.items():
            if not path.exists():
                rs.run(rs.load_study(f"softmax-{name}"), path, workers=2)
        pictures = {"formats": formats, "limits": limits, "devices": devices, "margin": margin, "steps": steps}
        for name, draw in pictures.items():
            target = IMAGES / f"softmax-{name}.png"
            sweeps = Sweeps(traces["limits" if name == "devices" else name])
            draw(sweeps).savefig(target, dpi=120, metadata={"Software": None})
            sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main()
