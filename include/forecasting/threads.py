"""One thread per fit and forecast: the same bits every time, and no waiting on a machine whose cores are shared."""

from __future__ import annotations

from typing import Any


def one_thread() -> Any:
    """Context manager that holds linear algebra and scikit-learn's trees to one thread.

    Sums of floats depend on how they are split among threads; and threads that wait for each other cost more than
    these small models gain. It holds for libraries that are loaded when it is entered: import them before.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1)
