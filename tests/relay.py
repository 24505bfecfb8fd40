"""A relay that answers by script: every phase of SMTP can refuse, hang up or fall silent."""

import contextlib
import socket
import threading
import time

CUT = "cut"  # close the connection instead of answering
SILENT = "silent"  # never answer
USUAL = {
    "GREETING": "220 relay.example",
    "EHLO": "250-relay.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
    "AUTH": "235 welcome",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "BODY": "250 queued as 1",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


class Relay:
    """Answers `script[verb]`, a text or a list used up one by one; notes what it was told."""

    def __init__(self, pause=0.0, **script):
        self.pause = pause
        self.script = {verb: self._list(reply) for verb, reply in script.items()}
        self.said: list[str] = []
        self.messages: list[bytes] = []
        self.connections = 0

    @staticmethod
    def _list(reply):
        return list(reply) if isinstance(reply, list) else [reply] * 1000

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self.server.getsockname()[1]}"
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *args):
        # Closing alone does not wake a thread that waits in accept().
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join()

    def _listen(self):
        while True:
            try:
                peer, _address = self.server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _answer(self, peer, verb):
        """Answer and return what was said; an empty text ends the connection."""
        waiting = self.script.get(verb)
        reply = waiting.pop(0) if waiting else USUAL.get(verb, "502 what?")
        if reply == CUT:
            return ""
        time.sleep(self.pause)
        if reply != SILENT:
            with contextlib.suppress(OSError):  # the caller may have lost its patience
                peer.sendall(reply.encode() + b"\r\n")
        # A relay that says 421 hangs up.
        return "" if reply.startswith("421") else reply

    def _talk(self, peer):
        with peer, peer.makefile("rb") as lines:
            if not self._answer(peer, "GREETING"):
                return
            for line in lines:
                self.said.append(line.decode().strip())
                said = self._answer(peer, line[:4].decode().upper())
                if not said or (said.startswith("354") and not self._body(peer, lines)):
                    return

    def _body(self, peer, lines):
        message = b""
        for line in lines:
            if line == b".\r\n":
                self.messages.append(message)
                return self._answer(peer, "BODY")
            message += line[1:] if line.startswith(b".") else line
        return ""
