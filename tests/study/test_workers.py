"""Jobs on workers: answers in the order of the jobs, whoever is done first."""

import os

import pytest
from helpers.jobs import answer, die, fail

from rramsim.errors import RramsimError, SpecError
from rramsim.study.workers import Job, run_jobs


class TestOrder:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_answers_are_those_of_the_jobs(self, workers):
        jobs = [Job((k, 0.02 * (3 - k)), f"job {k}", weight=k) for k in range(4)]
        answers = run_jobs(answer, jobs, workers)
        assert [number for number, _ in answers] == [0, 1, 2, 3]
        assert (os.getpid() in {process for _, process in answers}) == (workers == 1)

    def test_heavy_jobs_begin_first(self):
        labels = []
        jobs = [Job((k, 0.0), f"job {k}", weight=weight) for k, weight in enumerate([1, 3, 2, 3])]
        run_jobs(answer, jobs, progress=lambda done, total, label: labels.append((done, total, label)))
        assert labels == [(1, 4, "job 1"), (2, 4, "job 3"), (3, 4, "job 2"), (4, 4, "job 0")]

    def test_no_jobs(self):
        assert run_jobs(answer, [], workers=2) == []


class TestFailure:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_the_error_of_a_job(self, workers):
        with pytest.raises(SpecError, match="job 2 cannot be done"):
            run_jobs(fail, [Job((k,), f"job {k}") for k in range(4)], workers)

    def test_a_worker_that_dies(self):
        with pytest.raises(RramsimError, match="a worker process was ended from outside"):
            run_jobs(die, [Job((k,), f"job {k}") for k in range(4)], workers=2)
