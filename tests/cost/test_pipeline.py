"""The schedule against closed forms, against a discrete-event simulation, and against what must always hold."""

import numpy as np
import pytest
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from rramsim.cost.pipeline import Stage, schedule
from rramsim.errors import SpecError

GRAINS = ("vector", "operand")


def equal_stages(m, t=2.0):
    return [Stage(f"stage {s}", t) for s in range(m)]


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 9), (4, 1), (5, 17), (20, 64)])
def test_equal_stages(m, n):
    t = 3e-7
    by_vector = schedule(equal_stages(m, t), n, "vector")
    by_operand = schedule(equal_stages(m, t), n, "operand")
    assert by_vector.latency_second == pytest.approx((m + n - 1) * t)
    assert by_operand.latency_second == pytest.approx(m * n * t)
    for pipeline in (by_vector, by_operand):
        assert pipeline.interval_second == pytest.approx(n * t)
        assert pipeline.start_second.shape == pipeline.finish_second.shape == (m, n)
        np.testing.assert_allclose(pipeline.stall_second, 0, atol=1e-18)
        np.testing.assert_allclose(pipeline.utilisation, n * t / pipeline.latency_second)


def test_slowest_stage_rules():
    """A fast stage waits for each vector of a slow one: latency is all first passages plus n - 1 slowest ones."""
    times, n = [1.0, 5.0, 2.0], 10
    pipeline = schedule([Stage(str(t), t) for t in times], n, "vector")
    assert pipeline.latency_second == sum(times) + (n - 1) * max(times)
    np.testing.assert_array_equal(pipeline.stall_second, [0, 0, (n - 1) * 3.0])
    assert pipeline.interval_second == n * max(times)
    np.testing.assert_allclose(pipeline.utilisation, np.array([10, 50, 20]) / 53)


def test_dynamic_operand_is_a_barrier():
    """Keys must all be there, and written, before the first score."""
    n = 8
    stages = [Stage("keys", 1.0), Stage("scores", 1.0, setup_second=4.0, waits_for_all=True), Stage("softmax", 1.0)]
    pipeline = schedule(stages, n, "vector")
    assert pipeline.start_second[1, 0] == n * 1.0 + 4.0
    assert pipeline.latency_second == n + 4 + n + 1
    np.testing.assert_array_equal(pipeline.stall_second, 0)
    assert schedule(stages, n, "operand").latency_second == n + 4 + n + n


def test_setup_without_barrier_follows_the_first_vector():
    pipeline = schedule([Stage("a", 1.0), Stage("b", 1.0, setup_second=10.0)], 3, "vector")
    np.testing.assert_array_equal(pipeline.start_second, [[0, 1, 2], [11, 12, 13]])


def test_waiting_for_all_in_every_stage_is_the_grain_of_operands():
    times = [0.5, 2.0, 1.0, 0.0]
    plain = [Stage(str(t), t, setup_second=t / 2) for t in times]
    waiting = [Stage(str(t), t, setup_second=t / 2, waits_for_all=True) for t in times]
    np.testing.assert_array_equal(
        schedule(waiting, 6, "vector").finish_second, schedule(plain, 6, "operand").finish_second
    )


def simulated(simpy, stages, n_vectors, grain, n_inferences):
    """Finish times of each vector in each stage, shape (n_inferences, n_stages, n_vectors), one event at a time."""
    env = simpy.Environment()
    finish = np.full((n_inferences, len(stages), n_vectors), np.nan)
    queues = [simpy.Store(env) for _ in range(len(stages) + 1)]

    def work(s, stage):
        for k in range(n_inferences):
            held = []
            needed = n_vectors if stage.waits_for_all or grain == "operand" else 1
            while len(held) < needed:
                held.append((yield queues[s].get()))
            yield env.timeout(stage.setup_second)
            for v in range(n_vectors):
                vector = held.pop(0) if held else (yield queues[s].get())
                assert vector == (k, v)
                yield env.timeout(stage.second_per_vector)
                finish[k, s, v] = env.now
                queues[s + 1].put(vector)

    for k in range(n_inferences):
        for v in range(n_vectors):
            queues[0].put((k, v))
    for s, stage in enumerate(stages):
        env.process(work(s, stage))
    env.run()
    return finish


# Multiples of 1/8 second: sums are exact, so that both sides must agree to the last bit.
TIMES = st.integers(0, 40).map(lambda eighths: eighths / 8)
STAGES = st.lists(
    st.builds(Stage, st.just("s"), TIMES, setup_second=TIMES, waits_for_all=st.booleans()), min_size=1, max_size=6
).filter(lambda stages: any(stage.second_per_vector for stage in stages))


@settings(max_examples=examples(60), deadline=None)
@given(stages=STAGES, n=st.integers(1, 9), grain=st.sampled_from(GRAINS))
def test_against_discrete_events(stages, n, grain):
    simpy = pytest.importorskip("simpy")
    pipeline = schedule(stages, n, grain)
    finish = simulated(simpy, stages, n, grain, n_inferences=5)
    np.testing.assert_array_equal(pipeline.finish_second, finish[0])
    # Inferences that follow one another leave at the pace of the busiest stage.
    np.testing.assert_array_equal(
        finish[:, -1, -1], pipeline.latency_second + np.arange(len(finish)) * pipeline.interval_second
    )


@settings(deadline=None)
@given(stages=STAGES, n=st.integers(1, 12))
def test_what_always_holds(stages, n):
    by_vector, by_operand = (schedule(stages, n, grain) for grain in GRAINS)
    assert (by_vector.finish_second <= by_operand.finish_second).all()
    for pipeline in (by_vector, by_operand):
        assert pipeline.latency_second >= pipeline.interval_second > 0
        assert (np.diff(pipeline.start_second, axis=0) >= 0).all()
        assert (np.diff(pipeline.finish_second, axis=1) >= 0).all()
        assert (pipeline.start_second[1:] >= pipeline.finish_second[:-1]).all()
        assert ((pipeline.utilisation >= 0) & (pipeline.utilisation <= 1)).all()
        assert (pipeline.stall_second >= 0).all()
        assert (pipeline.busy_second + pipeline.stall_second <= pipeline.latency_second).all()
        longer = schedule(stages, n + 1, pipeline.grain)
        assert longer.latency_second >= pipeline.latency_second
        extended = schedule([*stages, Stage("more", 1.0)], n, pipeline.grain)
        np.testing.assert_array_equal(extended.finish_second[:-1], pipeline.finish_second)


@settings(deadline=None)
@given(stages=STAGES, n=st.integers(1, 8), which=st.integers(0, 5), grain=st.sampled_from(GRAINS))
def test_a_slower_stage_never_helps(stages, n, which, grain):
    which %= len(stages)
    old = stages[which]
    slower = [*stages]
    slower[which] = Stage("slower", old.second_per_vector + 1, old.setup_second + 1, old.waits_for_all)
    assert (schedule(slower, n, grain).finish_second >= schedule(stages, n, grain).finish_second).all()


def test_times_scale():
    stages = [Stage("a", 1.0), Stage("b", 3.0, 2.0), Stage("c", 2.0, waits_for_all=True)]
    scaled = [Stage(s.name, 4 * s.second_per_vector, 4 * s.setup_second, s.waits_for_all) for s in stages]
    for grain in GRAINS:
        one, four = schedule(stages, 7, grain), schedule(scaled, 7, grain)
        np.testing.assert_array_equal(4 * one.finish_second, four.finish_second)
        np.testing.assert_array_equal(one.utilisation, four.utilisation)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_wrong_times(bad):
    with pytest.raises(SpecError, match="second_per_vector"):
        Stage("a", bad)
    with pytest.raises(SpecError, match="setup_second"):
        Stage("a", 1.0, setup_second=bad)


def test_wrong_arguments():
    with pytest.raises(SpecError, match="at least one stage"):
        schedule([], 3, "vector")
    with pytest.raises(SpecError, match="n_vectors 0"):
        schedule(equal_stages(2), 0, "vector")
    with pytest.raises(SpecError, match=r"'row'; allowed are vector, operand"):
        schedule(equal_stages(2), 3, "row")
    with pytest.raises(SpecError, match="all of them take 0 s"):
        schedule(equal_stages(2, 0.0), 3, "vector")
