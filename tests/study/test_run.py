"""Whole studies: the same seed gives the same table bit for bit, however the work is shared out."""

import numpy as np
import pytest
from helpers.studies import NO_WIRES
from numpy.testing import assert_array_equal

import rramsim as rs
from rramsim.errors import SpecError, TraceError
from rramsim.model.score import confidence_interval
from rramsim.study.plan import points
from rramsim.study.run import compute

QUICK = ["workload.samples=4", "workload.calibration_samples=4", "probe_samples=0", "macro.input_bits=3", *NO_WIRES]


def quick(*settings):
    return rs.load_study(settings=[*QUICK, "trials=2", *settings])


def contents(path):
    """Every dataset by name; texts and numbers alike."""
    with rs.open_trace(path) as trace:
        return {name: trace[name] for name, _, _ in trace.datasets()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert values.dtype == other[name].dtype, name
        assert_array_equal(values, other[name], err_msg=name)  # nan equals nan here, and nothing is rounded


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """The quick study, run once: (its trace, what was told of its progress)."""
    path, news = tmp_path_factory.mktemp("quick") / "quick.h5", []
    assert rs.run(quick(), str(path), progress=lambda *each: news.append(each)) == path
    return contents(path), news


class TestDeterminism:
    @pytest.mark.slow
    def test_workers_change_no_bit(self, small_study, trace_path, tmp_path):
        shared = rs.run(small_study, tmp_path / "shared.h5", workers=2)
        assert_same(contents(shared), contents(trace_path))
        with rs.open_trace(shared) as one, rs.open_trace(trace_path) as other:
            assert one.study == other.study

    def test_the_seed_decides(self, quick_run, tmp_path):
        first = quick_run[0]
        second, other = (
            contents(rs.run(quick(f"seed={seed}"), tmp_path / f"{seed}.h5"))
            for seed in (quick().seed, quick().seed + 1)
        )
        assert_same(first, second)
        random = first["table/trials"] == 2
        assert (first["table/attention_kl"] != other["table/attention_kl"]).tolist() == random.tolist()

    def test_more_trials_leave_the_earlier_ones_alone(self, quick_run, tmp_path):
        few, many = quick_run[0], contents(rs.run(quick("trials=3"), tmp_path / "3.h5"))
        earlier = many["points/trial"] < 2
        assert (~earlier).sum() == 5
        for name in ("variant", "trial", "accuracy", "agreement", "attention_kl", "prediction"):
            assert_array_equal(many[f"points/{name}"][earlier], few[f"points/{name}"], err_msg=name)
        assert_array_equal(many["errors/count"][earlier], few["errors/count"])
        assert_array_equal(many["cost/value"], few["cost/value"])

    def test_title_and_probes_change_no_result(self, quick_run, tmp_path):
        plain = quick_run[0]
        probed = contents(rs.run(quick("title=other", "probe_samples=1"), tmp_path / "b.h5"))
        assert_same(plain, {name: values for name, values in probed.items() if not name.startswith("probe/")})


class TestResults:
    def test_table_sums_up_the_points(self, trace, small_study):
        variants = trace["points/variant"]
        assert list(dict.fromkeys(variants)) == list(trace["table/variant"])
        for row, name in enumerate(trace["table/variant"]):
            points_of_line = variants == name
            accuracy = trace["points/accuracy"][points_of_line]
            assert trace["table/trials"][row] == points_of_line.sum()
            interval = [trace[f"table/{key}"][row] for key in ("accuracy", "accuracy_low", "accuracy_high")]
            assert_array_equal(interval, confidence_interval(accuracy))
            for key in ("agreement", "attention_kl"):
                assert trace[f"table/{key}"][row] == trace[f"points/{key}"][points_of_line].mean()

    def test_points_are_those_of_the_plan(self, trace, small_study):
        planned = [(point.variant.name, point.trial) for point in points(small_study)]
        assert list(zip(trace["points/variant"], trace["points/trial"], strict=True)) == planned

    def test_accuracy_and_agreement_are_those_of_the_predictions(self, trace):
        prediction, label = trace["points/prediction"], trace["points/label"]
        assert_array_equal(trace["points/accuracy"], (prediction == label).mean(axis=1))
        assert_array_equal(trace["points/agreement"], (prediction == prediction[0]).mean(axis=1))
        assert trace["points/variant"][0] == "float"

    def test_lines_without_randomness_have_no_interval(self, trace):
        single = trace["table/trials"] == 1
        assert_array_equal(np.isnan(trace["table/accuracy_low"]), single)
        assert_array_equal(np.isnan(trace["table/accuracy_high"]), single)
        assert set(trace["table/variant"][single]) == {"float", "fixed_point", "ir_drop", "adc", "softmax_bits"}

    def test_every_non_ideality_shows(self, trace):
        """Attention drifts from the float network's at every step of hardware, most of all with everything."""
        kl = dict(zip(trace["table/variant"], trace["table/attention_kl"], strict=True))
        assert kl["float"] == 0 < kl["fixed_point"]
        for name in ("programming", "stuck", "read_noise", "ir_drop", "adc", "softmax_bits", "softmax_cells"):
            assert kl[name] > kl["fixed_point"], name
        assert kl["softmax_cells"] > kl["softmax_bits"]
        assert max(kl, key=kl.get) == "all"

    def test_errors_are_those_of_the_parts_that_are_there(self, trace):
        count = {
            name: dict(zip(trace["errors/kind"], row, strict=True))
            for name, row in zip(trace["points/variant"], trace["errors/count"], strict=True)
        }
        clean = ("float", "fixed_point", "programming", "stuck", "read_noise", "ir_drop")
        assert not any(sum(count[name].values()) for name in clean)
        assert count["adc"]["adc_saturation"] == sum(count["adc"].values()) > 0
        assert sum(count["softmax_bits"].values()) == count["softmax_bits"]["score_saturation"]
        assert count["softmax_cells"]["false_match"] > 0
        assert count["all"]["missed_match"] > 0

    def test_cost_adds_up(self, trace):
        figures = dict(zip(trace["cost/name"], trace["cost/value"], strict=True))
        energy, area = trace["cost/energy"].sum(), trace["cost/area"].sum()
        assert energy == pytest.approx(figures["energy per inference"])
        assert area == pytest.approx(figures["area"])
        latency = figures["latency, vector-grained"]
        assert latency == trace["schedule/finish"][-1, -1] < figures["latency, operand-grained"]
        operations = figures["operations per inference"]
        assert figures["computing efficiency"] == pytest.approx(operations / energy / 1e9)
        assert figures["throughput"] == pytest.approx(operations / figures["interval between inferences"] / 1e9)
        assert figures["power at full throughput"] == pytest.approx(energy / figures["interval between inferences"])

    def test_inner_signals(self, trace):
        names = {name.rsplit("/", 1)[1] for name in trace.signals}
        assert names == {
            "column_current", "adc_code", "score_code", "match", "max_row", "difference", "exponential", "sum",
            "probability", "selected", "histogram",
        }  # fmt: skip
        steps = {name.split("/")[1] for name in trace.signals}
        static = {
            f"layer{k}.{part}" for k in (0, 1) for part in ("query", "key", "value", "output", "expand", "contract")
        }
        assert steps == {"embed", "classify", "layer0.attention", "layer1.attention"} | static
        codes = trace["probe/layer0.query/adc_code"]
        assert (codes.min() >= -32) & (codes.max() <= 31)
        total = trace["probe/layer1.attention/softmax/probability"].sum(axis=-1)
        assert np.median(np.abs(total - 1)) < 0.3


class TestBeforeAnyWork:
    """Refusals come before the first point, and leave nothing."""

    @pytest.fixture
    def refused(self, small_study, tmp_path):
        def refused(error, out, **options):
            before = sorted(tmp_path.rglob("*"))
            messages = []
            with pytest.raises(error) as caught:
                rs.run(small_study, out, progress=lambda *news: messages.append(news), **options)
            assert messages == []
            assert sorted(tmp_path.rglob("*")) == before
            return str(caught.value)

        return refused

    def test_existing(self, refused, tmp_path):
        path = tmp_path / "there.h5"
        path.write_bytes(b"precious")
        assert "never overwritten" in refused(TraceError, path)
        assert path.read_bytes() == b"precious"

    def test_no_folder(self, refused, tmp_path):
        assert "folder cannot be written" in refused(TraceError, tmp_path / "nowhere" / "x.h5")

    @pytest.mark.parametrize("workers", [0, -1])
    def test_workers(self, refused, tmp_path, workers):
        assert f"got {workers}" in refused(SpecError, tmp_path / "x.h5", workers=workers)


def test_progress(quick_run):
    news = quick_run[1]
    assert [(done, total) for done, total, _ in news] == [(k + 1, 15) for k in range(15)]
    assert sorted(label for _, _, label in news) == sorted(point.variant.label for point in points(quick()))


def test_an_error_in_a_worker_is_the_error_of_the_run(tmp_path):
    study = rs.load_study(settings=[*QUICK[:4], "trials=1", "wires.word_line_ohm=[1.0, 2.0]"])
    with pytest.raises(SpecError, match="one number for each word line; got 2 numbers"):
        rs.run(study, tmp_path / "x.h5", workers=2)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(tmp_path):
    study = rs.load_study(settings=[*QUICK[:4], "trials=1", "workload.samples=2", "probe_samples=0"])
    wanted = tmp_path / "digits-001.h5"
    record = compute(study)
    wanted.write_text("another run")
    with pytest.raises(rs.TraceError, match="digits-001"):
        record.write(wanted)
    assert wanted.read_text() == "another run"
    record.write(tmp_path / "digits-002.h5")  # no work is lost
    with rs.open_trace(tmp_path / "digits-002.h5") as trace:
        assert trace["points/label"].size == 2
