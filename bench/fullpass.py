"""One full recompute in a process of its own, so that its memory is its own: prints both."""

import json
import resource
import sys
import time
from datetime import datetime

import django


def main() -> None:
    """Recompute as of the instant given and tell seconds and peak memory in MiB."""
    django.setup()
    from metrics import recompute  # noqa: PLC0415 - models can be read only after the settings

    begun = time.perf_counter()
    recompute.refresh_all(at=datetime.fromisoformat(sys.argv[1]))
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": took, "peak": peak}))


if __name__ == "__main__":
    main()
