"""The product's settings with the bare views beside its own."""

from cxportal.settings import *  # noqa: F403
from cxportal.settings import STORAGES

ROOT_URLCONF = "bench.urls"
ALLOWED_HOSTS = ["testserver"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
