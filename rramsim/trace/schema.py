"""What a trace holds: every dataset is registered here once; writer, reader and docs follow it.

A trace is an HDF5 file. Its root attributes name the format, the study and where it came from; each group is a table or
a set of arrays whose axes carry names. A network study leaves all groups but ``sweep``, a softmax study that one.
Behind the end that HDF5 knows follows the SHA-256 of all bytes before (:mod:`rramsim.hdf5`): a trace is a record, and
one that was changed or damaged is refused. Format version 1.
"""

from dataclasses import dataclass

__all__ = ["DATASETS", "FORMAT", "FORMAT_VERSION", "PROBE_GROUP", "Dataset"]

FORMAT = "rramsim-trace"
FORMAT_VERSION = 1
PROBE_GROUP = "probe"


@dataclass(frozen=True)
class Dataset:
    """One dataset of a trace.

    Parameters
    ----------
    path
        The group and the name in it.
    axes
        Names of the axes; those of one name in one group have one length.
    kind
        The NumPy type, or "str" for text.
    unit
        The SI unit; "1" for a pure number, empty for text and where units stand in a dataset beside it.
    doc
        What the values mean.
    """

    path: str
    axes: tuple[str, ...]
    kind: str
    unit: str
    doc: str


def _register(*datasets: Dataset) -> dict[str, Dataset]:
    return {dataset.path: dataset for dataset in datasets}


DATASETS = _register(
    Dataset("table/variant", ("line",), "str", "", "short name of each line of the accuracy table"),
    Dataset("table/label", ("line",), "str", "", "what the line says"),
    Dataset("table/trials", ("line",), "int32", "1", "chips that were written for the line"),
    Dataset("table/accuracy", ("line",), "float64", "1", "share of inputs classified rightly, mean over trials"),
    Dataset("table/accuracy_low", ("line",), "float64", "1", "lower end of its 95 % interval; nan for one trial"),
    Dataset("table/accuracy_high", ("line",), "float64", "1", "upper end of its 95 % interval; nan for one trial"),
    Dataset("table/agreement", ("line",), "float64", "1", "share of inputs classified as the float network does"),
    Dataset(
        "table/attention_kl",
        ("line",),
        "float64",
        "nat",
        "mean KL divergence of the attention; nan without one",
    ),
    Dataset("points/variant", ("point",), "str", "", "line of the table that the point belongs to"),
    Dataset("points/trial", ("point",), "int32", "1", "number of the trial"),
    Dataset("points/accuracy", ("point",), "float64", "1", "share of inputs classified rightly"),
    Dataset("points/agreement", ("point",), "float64", "1", "share of inputs classified as the float network does"),
    Dataset(
        "points/attention_kl",
        ("point",),
        "float64",
        "nat",
        "mean KL divergence of the attention; nan without one",
    ),
    Dataset("points/prediction", ("point", "sample"), "int16", "1", "class named for each input"),
    Dataset("points/label", ("sample",), "int16", "1", "true class of each input"),
    Dataset("errors/kind", ("error",), "str", "", "kinds of error that hardware can tell from its right answer"),
    Dataset("errors/count", ("point", "error"), "int64", "1", "how often each happened, over all inputs of a point"),
    Dataset("cost/block", ("part",), "str", "", "block of the chip"),
    Dataset("cost/component", ("part",), "str", "", "component"),
    Dataset("cost/energy", ("part",), "float64", "J", "energy per inference"),
    Dataset("cost/area", ("part",), "float64", "m2", "area"),
    Dataset("cost/name", ("figure",), "str", "", "name of a figure of merit"),
    Dataset("cost/value", ("figure",), "float64", "", "its value, in the unit beside it"),
    Dataset("cost/value_unit", ("figure",), "str", "", "unit of the figure of merit"),
    Dataset("schedule/stage", ("step",), "str", "", "stage of the pipeline"),
    Dataset("schedule/setup", ("step",), "float64", "s", "time before the first vector: writing, or one-off work"),
    Dataset("schedule/start", ("step", "vector"), "float64", "s", "start of each token vector, vector-grained"),
    Dataset("schedule/finish", ("step", "vector"), "float64", "s", "finish of each token vector, vector-grained"),
    Dataset("schedule/operand_start", ("step", "vector"), "float64", "s", "start, operand-grained"),
    Dataset("schedule/operand_finish", ("step", "vector"), "float64", "s", "finish, operand-grained"),
    Dataset("sweep/name", ("point",), "str", "", "sweep that the point belongs to"),
    Dataset("sweep/label", ("point",), "str", "", "what is varied, in short"),
    Dataset("sweep/settings", ("point",), "str", "", "values by varied key, as JSON"),
    Dataset("sweep/trial", ("point",), "int32", "1", "number of the trial"),
    Dataset("sweep/model", ("network",), "str", "", "model whose scores were recorded"),
    Dataset("sweep/mean_error", ("point", "network"), "float64", "1", "mean absolute error of a probability"),
    Dataset("sweep/max_error", ("point", "network"), "float64", "1", "largest absolute error of a probability"),
    Dataset("sweep/kl", ("point", "network"), "float64", "nat", "mean KL divergence from the exact softmax"),
    Dataset("sweep/agreement", ("point", "network"), "float64", "1", "share of vectors with the same largest place"),
    Dataset("sweep/elements", ("point", "network"), "int64", "1", "scores that took part"),
    Dataset("sweep/vectors", ("point", "network"), "int64", "1", "vectors of scores"),
    Dataset("sweep/error_kind", ("error",), "str", "", "kinds of error of the softmax engine"),
    Dataset("sweep/error_count", ("point", "network", "error"), "int64", "1", "how often each happened"),
)
