"""Wiring and the pages that combine apps; imported by nobody."""

from cxportal.celery import app as celery_app

__all__ = ["celery_app"]
