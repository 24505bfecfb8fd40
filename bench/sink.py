"""A relay that takes every mail and keeps none: `python -m bench.sink PORT [FILE]`.

With a file it writes down each recipient before it says yes, so that nobody can doubt later.
"""

import asyncio
import re
import sys
from pathlib import Path
from typing import IO

END = b"\r\n.\r\n"
_TO = re.compile(rb"<([^>]*)>")


class Relay(asyncio.Protocol):
    """One connection: commands by line, a message up to the lonely dot."""

    def __init__(self, log: IO[bytes] | None) -> None:
        self.log, self.waiting, self.in_message, self.recipient = log, bytearray(), False, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer whatever is complete."""
        self.waiting += data
        while self._take():
            pass

    def _take(self) -> bool:
        end = END if self.in_message else b"\r\n"
        place = self.waiting.find(end)
        if place < 0:
            return False
        line = bytes(self.waiting[:place])
        del self.waiting[: place + len(end)]
        self.transport.write(self._accept() if self.in_message else self._answer(line))
        return True

    def _accept(self) -> bytes:
        self.in_message = False
        if self.log is not None:
            self.log.write(self.recipient + b"\n")
            self.log.flush()
        return b"250 2.0.0 Ok\r\n"

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"DATA":
            self.in_message = True
            return b"354 go on\r\n"
        if verb == b"RCPT":
            found = _TO.search(line)
            self.recipient = found[1] if found else b""
        if verb == b"QUIT":
            return b"221 bye\r\n"
        return b"250-sink\r\n250 8BITMIME\r\n" if verb == b"EHLO" else b"250 Ok\r\n"


async def main() -> None:
    """Listen until killed."""
    log = Path(sys.argv[2]).open("ab") if len(sys.argv) > 2 else None  # noqa: SIM115
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Relay(log), "127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
