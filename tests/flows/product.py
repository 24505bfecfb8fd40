"""The running product, driven from outside: its processes, its pages, its mail."""

import email
import http.client
import json
import mailbox
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from email.message import EmailMessage
from email.policy import default
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg

ROOT = Path(__file__).resolve().parents[2]
FORM = "application/x-www-form-urlencoded"


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(question, seconds: float, every: float = 0.1):
    """Ask until the answer is true; return the last answer."""
    deadline = time.monotonic() + seconds
    answer = question()
    while not answer and time.monotonic() < deadline:
        time.sleep(every)
        answer = question()
    return answer


class Answer:
    """One HTTP answer."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Browser:
    """A visitor with cookies and nothing else; follows no redirect."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def __call__(self, method: str, address: str, body: Any = None, **headers: str) -> Answer:
        parts = urlsplit(address)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if self.cookies:
            pairs = (f"{key}={value}" for key, value in self.cookies.items())
            headers["Cookie"] = "; ".join(pairs)
        if isinstance(body, dict):
            body, headers["Content-Type"] = urlencode(body, doseq=True), FORM
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body=body, headers=headers)
        answer = Answer(connection.getresponse())
        connection.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {key: one.value for key, one in SimpleCookie(line).items()}
        return answer

    def form(self, address: str, **fields: Any) -> Answer:
        """Open a page and send its form, with its hidden token if it has one."""
        page = self("GET", address)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        if token:
            fields["csrfmiddlewaretoken"] = token[1]
        return self("POST", address, fields, Referer=f"http://127.0.0.1:{self.port}{address}")


class Product:
    """One installation: its own state folder, ports and, where given, database."""

    def __init__(self) -> None:
        # Short, for the address of a socket has little room.
        self.state = Path(tempfile.mkdtemp(prefix="cx-", dir="/tmp"))
        self.port, self.mail_port = free_port(), free_port()
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key not in {"DJANGO_SETTINGS_MODULE", "MAKELEVEL", "SECRET_KEY", "EMAIL_URL"}
        } | {
            "STATE_DIR": str(self.state),
            "PORT": str(self.port),
            "MAIL_PORT": str(self.mail_port),
        }
        self.process: subprocess.Popen[str] | None = None
        self.ready = ""
        self._server = os.environ.get("DATABASE_URL", "")
        if self._server.startswith("postgres"):
            self._database = f"cx_run_{secrets.token_hex(4)}"
            self._sql(f'CREATE DATABASE "{self._database}"')
            self.environment["DATABASE_URL"] = (
                f"{self._server.rpartition('/')[0]}/{self._database}"
            )

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement)

    def run(self, *words: str, code: int = 0, **environment: str) -> str:
        """Run a management command; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def start(self, **environment: str) -> str:
        """Start everything as `make run` does and return the last line of the start."""
        with (self.state / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "run.py"],
                cwd=ROOT,
                env=self.environment | environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline().strip()
        assert self.ready.startswith("Ready: "), (self.state / "log").read_text()[-4000:]
        return self.ready

    def stop(self, signum: int = signal.SIGTERM) -> int:
        """Stop everything; return the exit code of the runner."""
        assert self.process is not None
        self.process.send_signal(signum)
        code = self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def end(self) -> None:
        """Stop what runs and remove every trace."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if self._server.startswith("postgres"):
            self._sql(f'DROP DATABASE "{self._database}" WITH (FORCE)')
        shutil.rmtree(self.state)

    def browser(self) -> Browser:
        """A new visitor."""
        return Browser(self.port)

    def signed_in(self, username: str) -> Browser:
        """A visitor who has signed in with the printed account."""
        rows = json.loads((self.state / "accounts.json").read_text())
        password = next(row["password"] for row in rows if row["username"] == username)
        visitor = self.browser()
        answer = visitor.form("/accounts/login/", username=username, password=password)
        assert answer.status == 302, answer.text
        return visitor

    def mails(self) -> list[EmailMessage]:
        """What the catcher has received."""
        folder = self.state / "mail"
        if not folder.is_dir():
            return []
        box = mailbox.Maildir(folder, create=False)
        found = []
        for key in sorted(box.keys()):
            with box.get_file(key) as file:
                content = file.read()
            found.append(email.message_from_bytes(content, policy=default))
        return found

    def processes(self) -> dict[int, str]:
        """Every living process that the runner of this installation started, and its words."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            ours = f"STATE_DIR={self.state}".encode() in environment
            if ours and any(entry.startswith(b"CXPORTAL_RUN=") for entry in environment):
                found[int(folder.name)] = words
        return found


def links(mail: EmailMessage) -> list[str]:
    """Every address in a mail: both forms and the unsubscribe header."""
    found = re.findall(r"<(https?://[^>]+)>", mail["List-Unsubscribe"] or "")
    for kind in ("plain", "html"):
        part = mail.get_body(preferencelist=(kind,))
        if part is not None:
            text = part.get_content().replace("&amp;", "&")
            found += re.findall(r"https?://[^\s\"'<>()（）]+", text)
    return sorted(set(found))
