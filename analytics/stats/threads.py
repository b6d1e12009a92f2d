"""Boosting on one thread: on a few thousand rows more threads cost more than they bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Run scikit-learn's ensembles on one thread; the library is loaded first, or it is not limited."""
    import sklearn.ensemble  # noqa: F401, PLC0415  # half a second, only where needed
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):
        yield
