"""The one thread that uses the model, and what waits for it."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np

from .errors import Busy, for_client
from .json_values import as_json_values
from .model_info import Model, Options


@dataclass
class _Job:
    """One request for predictions."""

    sequences: list[np.ndarray]
    options: Options
    future: Future = field(default_factory=Future)


class ModelThread:
    """Answers requests that wait at the same time by one call.

    Nobody waits for others to come: when the thread is free, it takes
    what has arrived by then. All that uses the model is done here.
    """

    def __init__(
        self, model: Model, *, max_samples: int, max_waiting: int
    ) -> None:
        self._model = model
        self._max_samples = max_samples
        self._max_waiting = max_waiting
        self._jobs: deque[_Job] = deque()
        self._is_called = False  # a call that will take jobs is queued
        self._lock = Lock()
        self._pending: set[Future] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self.batch_sizes: deque[int] = deque(maxlen=1000)  # the newest

    async def predict(
        self, sequences: list[np.ndarray], options: Options
    ) -> dict[str, list[Any]]:
        """Answer a request, together with others if they wait too."""
        self._check_room()
        job = _Job(sequences, options)
        self._count(job.future)
        with self._lock:
            self._jobs.append(job)
            self._call_if_needed()
        return await asyncio.wrap_future(job.future)

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function in the thread, in the order of arrival."""
        self._check_room()
        future = self._thread.submit(function, *args)
        self._count(future)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _check_room(self) -> None:
        if len(self._pending) >= self._max_waiting:
            raise Busy(
                f"{self._max_waiting} requests wait already, which is the "
                "limit of this service. Send the request again later."
            )

    def _count(self, future: Future) -> None:
        """Count a request until it is answered."""
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)

    def _call_if_needed(self) -> None:
        if self._jobs and not self._is_called:
            self._is_called = True
            self._thread.submit(self._answer_waiting)

    # -- in the thread ---------------------------------------------------

    def _answer_waiting(self) -> None:
        with self._lock:
            jobs = self._take()
            self._is_called = False
            self._call_if_needed()  # for those that are left
        for options in dict.fromkeys(job.options for job in jobs):
            self._answer([job for job in jobs if job.options == options])

    def _take(self) -> list[_Job]:
        """The jobs that wait, up to the largest batch."""
        jobs: list[_Job] = []
        room = 1 if self._model.info.stateful else self._max_samples
        while self._jobs and (
            not jobs or len(self._jobs[0].sequences) <= room
        ):
            job = self._jobs.popleft()
            if job.future.set_running_or_notify_cancel():
                jobs.append(job)
                room -= len(job.sequences)
        return jobs

    def _answer(self, jobs: list[_Job]) -> None:
        sequences = [each for job in jobs for each in job.sequences]
        self.batch_sizes.append(len(sequences))
        try:
            answers = self._model.answer(sequences, jobs[0].options)
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].future.set_exception(for_client(error))
                return
            # One of them fails, and must not fail the others.
            for job in jobs:
                self._answer([job])
            return
        ends = np.cumsum([0, *(len(job.sequences) for job in jobs)])
        for job, (start, end) in zip(jobs, pairwise(ends), strict=True):
            try:
                share = {name: v[start:end] for name, v in answers.items()}
                job.future.set_result(as_json_values(share))
            except Exception as error:
                job.future.set_exception(for_client(error))
