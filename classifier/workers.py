"""Where the scoring is done: in this process, in several (joblib), or on a Dask cluster. Each does `score_frame` and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.assessor import Assessor, load_assessor
from classifier.batch import DTYPES, score_frame
from classifier.contract import TYPES
from classifier.errors import InputError

# Scores a frame whose one column is named "text".
Score = Callable[[pd.DataFrame], pd.DataFrame]
# Rows that one call of a worker gets: few enough that workers end together, many enough that the sending costs nothing.
_PIECE = 32


@cache
def worker_assessor(folder: str | None) -> Assessor:
    """The assessor of this process: loaded at the first call. Workers share the cores, so each uses one."""
    assessor = load_assessor(folder)
    assessor.encoder.at_once = assessor.encoder.threads = 1
    return assessor


def score_in_worker(frame: pd.DataFrame, folder: str | None, version: str, text: str = "text") -> pd.DataFrame:
    """`score_frame` with the worker's own assessor, refused where its model is another one."""
    assessor = worker_assessor(folder)
    if assessor.version != version:
        raise InputError(f"A worker has model {assessor.version}, and this machine has {version}; install the same version on both.")
    return score_frame(frame, assessor, text)


@contextmanager
def here(assessor: Assessor) -> Iterator[Score]:
    """Score in this process."""
    yield partial(score_frame, assessor=assessor, text="text")


@contextmanager
def in_processes(folder: Path | None, version: str, jobs: int) -> Iterator[Score]:
    """Score in `jobs` processes; -1 means one a core."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with Parallel(n_jobs=jobs) as parallel:

        def score(frame: pd.DataFrame) -> pd.DataFrame:
            pieces = [frame.iloc[i : i + _PIECE] for i in range(0, len(frame), _PIECE)]
            try:
                scored: list[pd.DataFrame] = parallel(delayed(score_in_worker)(piece, _name(folder), version) for piece in pieces)
            except TerminatedWorkerError as error:
                raise InputError("A worker process was ended from outside (for want of memory, perhaps); go on with --resume and fewer --jobs.") from error
            return pd.concat(scored)

        yield score


@contextmanager
def on_dask(folder: Path | None, version: str, address: str | None, partitions: int | None = None) -> Iterator[Score]:
    """Score on a Dask cluster: the one at `address`, or a local one. A partition whose worker dies is done again elsewhere."""
    try:
        import dask
        import dask.dataframe
        import distributed
    except ImportError as error:
        raise InputError("Dask is not installed; install it with: pip install '.[dask]' in this program's folder.") from error
    cluster: Any = distributed  # neither has types
    frames: Any = dask.dataframe
    try:
        # A killed worker must not take the job with it, hence processes; the dashboard is a web server, and nothing here needs one.
        options: dict[str, Any] = {"address": address, "timeout": 10} if address else {"processes": True, "threads_per_worker": 1, "dashboard_address": None}
        client = cluster.Client(**options)
    except (OSError, ValueError) as error:
        raise InputError(f"{address}: no Dask scheduler answers there ({error}).") from error
    with client:
        meta = _meta()

        def score(frame: pd.DataFrame) -> pd.DataFrame:
            cores = sum(client.nthreads().values()) or 1
            parts = frames.from_pandas(frame, npartitions=min(len(frame), partitions or 4 * cores), sort=False)
            scored = parts.map_partitions(score_in_worker, folder=_name(folder), version=version, meta=meta)
            try:
                return pd.DataFrame(client.compute(scored, sync=True))
            except distributed.KilledWorker as error:
                raise InputError("Workers were killed again and again on the same rows (for want of memory, perhaps); go on with --resume.") from error

        # Cells stay Python strings: pyarrow's refuse lone surrogates, and such a cell must cost its own row only.
        with dask.config.set({"dataframe.convert-string": False}):
            yield score


def _meta() -> pd.DataFrame:
    columns = {"text": pd.Series(dtype="object")} | {name: pd.Series(dtype=DTYPES[kind]) for name, kind in TYPES.items()}
    return pd.DataFrame(columns)


def _name(folder: Path | None) -> str | None:
    return None if folder is None else str(folder.resolve())
