"""Log lines as JSON, one request id each, safe for a terminal and free of link secrets."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")
_TOKEN = re.compile(r"/(s|u)/[A-Za-z0-9_-]{12,}")


def masked(text: str) -> str:
    """Hide the secret part of a client's link."""
    return _TOKEN.sub(r"/\1/…", text)


class JsonLines(logging.Formatter):
    """One JSON object a line: line breaks and escape codes of an input cannot forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "request": request_id.get(),
            "message": masked(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True)
