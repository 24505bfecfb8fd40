"""The product's settings, with what a test run needs."""

import os
import tempfile

os.environ.setdefault("STATE_DIR", tempfile.mkdtemp(prefix="cxportal-test-"))
os.environ.setdefault("SECRET_KEY", "tests-only-" + "k3y" * 20)

from cxportal.settings import *  # noqa: F403
from cxportal.settings import DATABASES, STORAGES

# A file, as in the product: a database in memory has other locks, and threads share it badly.
_FOLDER = tempfile.TemporaryDirectory(prefix="cxportal-test-db-", ignore_cleanup_errors=True)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": f"{_FOLDER.name}/test.sqlite3"}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# Nothing may leave a test for a real worker: no broker listens here.
CELERY_BROKER_URL = "redis+socket:///nonexistent/broker.sock"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
# Seconds; a flow on a busy machine has more patience.
EMAIL_TIMEOUT = int(os.environ.get("PATIENCE", "2"))
SEND_LEASE_SECONDS = 2 * EMAIL_TIMEOUT + 1
FAIL_INVALID_TEMPLATE_VARS = True
WHITENOISE_AUTOREFRESH = True
