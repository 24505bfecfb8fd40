"""What one viewer has been shown in the last day, so that two filters cannot be subtracted."""

from collections.abc import Iterable

from django.core.cache import cache
from redis.exceptions import RedisError

from bank.models import ApiKey, User
from metrics.formulas.parameters import DEFAULT
from metrics.slicing import sketches
from metrics.slicing.sketches import Sketch

DAY = 24 * 60 * 60
# The oldest of one viewer and metric make room.
MOST = 500


class Memory:
    """The sets of answers behind the figures of one metric that a viewer was shown.

    Where the store is away nothing can be compared, so nothing new may be shown: `awake` says it.
    """

    def __init__(self, viewer: User | ApiKey, metric: str, population: str) -> None:
        kind = "key" if isinstance(viewer, ApiKey) else "user"
        self._key = f"shown:{kind}:{viewer.pk}:{metric}:{population}"
        self._known: list[bytes] = []
        self._new: list[bytes] = []
        self.awake = True
        try:
            self._known = cache.get(self._key) or []
        except RedisError:
            self.awake = False

    def too_near(self, found: Sketch, published: Iterable[Sketch] = ()) -> bool:
        """Whether this set differs from one shown before, or always shown, by 1 to 4 answers."""
        if not self.awake:
            return True
        known = [sketches.loaded(raw) for raw in [*self._known, *self._new]]
        return any(
            0 < sketches.apart(found, other) < DEFAULT.gate.min_resp
            for other in [*published, *known]
        )

    def note(self, found: Sketch) -> None:
        """Remember a set that is shown."""
        raw = found.dumped()
        if raw not in self._known and raw not in self._new:
            self._new.append(raw)

    def keep(self) -> None:
        """Write down what was noted; only then may it be shown."""
        if not self._new:
            return
        try:
            known = cache.get(self._key) or []
            fresh = [raw for raw in self._new if raw not in known]
            cache.set(self._key, [*known, *fresh][-MOST:], DAY)
        except RedisError:
            self.awake = False
