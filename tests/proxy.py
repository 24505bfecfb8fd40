"""A proxy between the sender and a relay that spoils what it is told to spoil.

It speaks SMTP line by line and keeps a message back until it is whole, so that each phase can be
answered, delayed or broken off by itself. What it lets through goes on to the relay unchanged.
"""

import asyncio
import contextlib
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Self

HANG = "hang"  # never answer
CUT = "cut"  # break off before the relay has it
LOSE = "lose"  # hand it to the relay, then break off instead of telling its answer
PHASES = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "BODY")

Rule = Callable[[str, int], str | None]


def always(action: str) -> Rule:
    """Do the same to everybody."""
    return lambda _recipient, _times: action


class Proxy:
    """Use as a context. `rules` maps a phase to a rule: recipient and how often it came this
    far → a reply, HANG, CUT, LOSE, or None to let it through."""

    def __init__(self, upstream: int, port: int) -> None:
        self.port, self.upstream = port, upstream
        self.rules: dict[str, Rule] = {}
        self.delay = 0.0
        self.seen: dict[str, Counter[str]] = {phase: Counter() for phase in PHASES}
        self.spoiled: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def open(self) -> None:
        """Listen, if it does not yet."""
        self._do(self._open())

    def refuse(self) -> None:
        """Stop listening and break off every connection: the next one is refused."""
        self._do(self._refuse())

    def _do(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._begin, "127.0.0.1", self.port)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._talks.add(task)
        try:
            await _Talk(self, reader, writer).run()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # one of the two hung up, or we did
        finally:
            self._talks.discard(task)
            writer.transport.abort()


class _Talk:
    """One connection, and its own one to the relay."""

    def __init__(
        self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.proxy, self.reader, self.writer = proxy, reader, writer
        self.recipient = ""

    async def run(self) -> None:
        self.up_reader, self.up_writer = await asyncio.open_connection(
            "127.0.0.1", self.proxy.upstream
        )
        try:
            greeting = await self._heard()
            await self._say(await self._ruled("GREETING") or greeting)
            while line := await self.reader.readline():
                await self._answer(line)
        finally:
            self.up_writer.close()
            with contextlib.suppress(OSError):
                await self.up_writer.wait_closed()

    async def _answer(self, line: bytes) -> None:
        phase = line[:4].decode("ascii", "replace").upper()
        if phase == "MAIL":
            self.recipient = ""
        if phase == "RCPT":
            self.recipient = re.search(rb"<([^>]*)>", line)[1].decode()
        reply = await self._ruled("EHLO" if phase == "HELO" else phase)
        if reply is None and phase == "DATA":
            await self._body(line)
            return
        await self._say(reply or await self._pass(line))

    async def _body(self, line: bytes) -> None:
        """Take the whole message before the relay hears of it."""
        await self._say(b"354 go on\r\n")
        message = [line]
        while message[-1] != b".\r\n" or len(message) == 1:
            message.append(await self.reader.readline())
            if not message[-1]:
                raise EOFError
        reply = await self._ruled("BODY")
        if reply is not None and reply != LOSE.encode():
            await self._pass(b"RSET\r\n")
            await self._say(reply)
            return
        assert (await self._pass(line)).startswith(b"354")
        answer = await self._pass(b"".join(message[1:]))
        if reply is not None:
            raise EOFError
        await self._say(answer)

    async def _ruled(self, phase: str) -> bytes | None:
        """What the rule of this phase answers; hangs or breaks off here where it says so."""
        if phase not in PHASES:
            return None
        self.proxy.seen[phase][self.recipient] += 1
        rule = self.proxy.rules.get(phase)
        action = rule(self.recipient, self.proxy.seen[phase][self.recipient]) if rule else None
        if action is None:
            return None
        self.proxy.spoiled[phase] += 1
        if action == HANG:
            await asyncio.sleep(3600)
        if action == CUT:
            raise EOFError
        return action.encode() if action == LOSE else f"{action}\r\n".encode()

    async def _pass(self, words: bytes) -> bytes:
        self.up_writer.write(words)
        await self.up_writer.drain()
        return await self._heard()

    async def _heard(self) -> bytes:
        """One reply of the relay, with all its lines."""
        lines = [await self.up_reader.readline()]
        while lines[-1][3:4] == b"-":
            lines.append(await self.up_reader.readline())
        if not lines[-1]:
            raise EOFError
        return b"".join(lines)

    async def _say(self, words: bytes) -> None:
        await asyncio.sleep(self.proxy.delay)
        self.writer.write(words)
        await self.writer.drain()
