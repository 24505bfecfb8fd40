"""When a process is told to end: what is under way is finished first."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[Callable[[], bool]]:
    """Put SIGTERM off until the block ends; what it yields says whether it has come.

    Only the main thread may do so; in any other nobody is told.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, _frame: told.append(signum))
    try:
        yield lambda: bool(told)
    finally:
        # None: a handler that was not Python's own, which cannot be given back.
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
        if told:
            signal.raise_signal(signal.SIGTERM)
