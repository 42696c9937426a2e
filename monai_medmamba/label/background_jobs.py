"""Work that outlasts a request: one at a time of each kind, with its progress, and a way to stop it."""

from __future__ import annotations

import datetime
import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .request_error import RequestError

__all__ = ["BackgroundJobs", "Job"]

logger = logging.getLogger(__name__)

_KEPT = 50  # jobs that are remembered


class Job:
    """One piece of work.

    Args:
        kind: Such as ``"train"``.
        request: What was asked for.

    Example:
        >>> Job("train", {"model": "medmamba_endo"}).status
        'SUBMITTED'
    """

    def __init__(self, kind: str, request: dict[str, Any]) -> None:
        self.id, self.kind, self.request = str(uuid.uuid4()), kind, dict(request)
        self.status = "SUBMITTED"  # then RUNNING, and DONE, ERROR or STOPPED, as MONAI Label calls them
        self.started, self.ended = _now(), ""
        self.details: deque[str] = deque(maxlen=20)
        self.progress: dict[str, Any] = {}
        self.result: Any = None
        self.error: Exception | None = None
        self._stop = threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop; the work looks at it now and then."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Asks it to stop."""
        self._stop.set()

    def describe(self) -> dict[str, Any]:
        """Returns what clients are told, with MONAI Label's keys first."""
        end = {"end_ts": self.ended} if self.ended else {}
        return {
            "id": self.id,
            "status": self.status,
            "request": self.request,
            "start_ts": self.started,
            **end,
            "details": list(self.details),
            "progress": self.progress,
            "result": self.result,
        }


class BackgroundJobs:
    """Jobs by kind, each kind with a thread of its own.

    Example:
        >>> jobs = BackgroundJobs()
        >>> job = jobs.submit("sum", {}, lambda job: 1 + 1)
        >>> jobs.wait("sum", 5), job.status, job.result
        (True, 'DONE', 2)
    """

    def __init__(self) -> None:
        self._jobs: dict[str, deque[Job]] = {}
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._lock = threading.Lock()

    def submit(self, kind: str, request: dict[str, Any], work: Callable[[Job], Any], *, enqueue: bool = False) -> Job:
        """Starts work in the background.

        Args:
            kind: Of the work.
            request: What was asked for, to be shown.
            work: Is called with the job; what it returns is the job's result.
            enqueue: Whether it waits where one of its kind is running.

        Returns:
            The job.

        Raises:
            RequestError: One of this kind is running.
        """
        with self._lock:
            if self.running(kind) is not None and not enqueue:
                raise RequestError(429, f"a {kind} task is running already; wait, stop it, or ask with enqueue=true")
            job = Job(kind, request)
            self._jobs.setdefault(kind, deque(maxlen=_KEPT)).append(job)
            pool = self._pools.setdefault(kind, ThreadPoolExecutor(1, thread_name_prefix=kind))
            pool.submit(_run, job, work)
        return job

    def all(self, kind: str) -> list[Job]:
        """Returns the jobs of a kind, oldest first."""
        return list(self._jobs.get(kind, ()))

    def running(self, kind: str) -> Job | None:
        """Returns the job of a kind that runs or waits to run, if any."""
        return next((job for job in self.all(kind) if job.status in ("SUBMITTED", "RUNNING")), None)

    def stop(self, kind: str) -> Job:
        """Asks the running job to stop.

        Returns:
            That job.

        Raises:
            RequestError: None is running.
        """
        job = self.running(kind)
        if job is None:
            raise RequestError(404, f"no {kind} task is running")
        job.stop()
        return job

    def wait(self, kind: str, seconds: float) -> bool:
        """Waits until no job of a kind runs; returns whether that came in time."""
        pool = self._pools.get(kind)
        if pool is not None:
            try:
                pool.submit(lambda: None).result(seconds)
            except TimeoutError:
                return False
        return True


def _run(job: Job, work: Callable[[Job], Any]) -> None:
    if job.stopping:
        job.status, job.ended = "STOPPED", _now()
        return
    job.status = "RUNNING"
    try:
        job.result = work(job)
        job.status = "STOPPED" if job.stopping else "DONE"
    except Exception as error:  # whatever went wrong is the job's result: the server goes on
        job.status = "STOPPED" if job.stopping else "ERROR"
        job.result, job.error = {"error": str(error)}, error
        job.details.append(str(error))
        if job.status == "ERROR":
            level = logging.INFO if isinstance(error, RequestError) else logging.ERROR
            logger.log(level, "the %s task failed: %s", job.kind, error, exc_info=level == logging.ERROR)
    finally:
        job.ended = _now()


def _now() -> str:
    return datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
