import threading

import pytest

from monai_medmamba.label.background_jobs import BackgroundJobs
from monai_medmamba.label.request_error import RequestError


def test_runs_and_keeps_the_result():
    jobs = BackgroundJobs()
    job = jobs.submit("train", {"model": "m"}, lambda job: {"name": job.kind})
    assert jobs.wait("train", 5)
    told = job.describe()
    assert (told["status"], told["result"], told["request"]) == ("DONE", {"name": "train"}, {"model": "m"})
    assert told["start_ts"] <= told["end_ts"]
    assert jobs.running("train") is None


def test_an_error_is_the_result_and_the_next_job_runs():
    jobs = BackgroundJobs()

    def fail(job):
        raise RuntimeError("no labels")

    failed = jobs.submit("train", {}, fail)
    assert jobs.wait("train", 5)
    assert (failed.status, failed.result) == ("ERROR", {"error": "no labels"})
    assert isinstance(failed.error, RuntimeError)
    done = jobs.submit("train", {}, lambda job: 1)
    assert jobs.wait("train", 5)
    assert done.status == "DONE"


def test_one_at_a_time_of_each_kind():
    jobs, go = BackgroundJobs(), threading.Event()
    first = jobs.submit("train", {}, lambda job: go.wait(5))
    with pytest.raises(RequestError, match="running already") as caught:
        jobs.submit("train", {}, lambda job: 1)
    assert caught.value.status == 429
    waiting = jobs.submit("train", {}, lambda job: 2, enqueue=True)
    assert jobs.submit("scoring", {}, lambda job: 3).kind == "scoring"
    assert waiting.status == "SUBMITTED"
    assert not jobs.wait("train", 0.05)
    go.set()
    assert jobs.wait("train", 5)
    assert (first.status, waiting.status) == ("DONE", "DONE")


def test_stops_what_runs_and_what_waits():
    jobs, started = BackgroundJobs(), threading.Event()

    def work(job):
        started.set()
        while not job.stopping:
            pass

    running = jobs.submit("train", {}, work)
    waiting = jobs.submit("train", {}, lambda job: 1, enqueue=True)
    assert started.wait(5)
    assert jobs.stop("train") is running
    waiting.stop()
    assert jobs.wait("train", 5)
    assert (running.status, waiting.status) == ("STOPPED", "STOPPED")
    with pytest.raises(RequestError, match="no train task"):
        jobs.stop("train")
