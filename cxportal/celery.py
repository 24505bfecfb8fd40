"""The Celery application. Tasks carry no data: the database is the queue, Celery only rings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxportal.settings")
app = Celery("cxportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["bank", "surveys", "metrics", "cxportal"])
