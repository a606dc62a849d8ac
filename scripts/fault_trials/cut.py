"""The line is cut: between people and the service, and between the service and PostgreSQL."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

from scripts.benchmarks.workshop import free_port
from scripts.fault_trials.books import found
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.cut_line import CutLine
from scripts.fault_trials.judge import judged
from scripts.fault_trials.service import Service
from scripts.fault_trials.trial import BOTH, Figures, Ground, Row

WAYS = ("before the service hears of it", "in the middle of the request", "before the answer", "in the middle of it")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class CuttingProxy:
    """Hands requests and answers on, and cuts every third or so in one of the `WAYS`, each when its lot comes."""

    def __init__(self, to: int, draw: Random) -> None:
        self.port = free_port()
        self.cuts: Counter[str] = Counter()
        self._to, self._draw = to, draw

    @contextmanager
    def running(self) -> Iterator["CuttingProxy"]:
        """Stand between people and the service until the end of the block."""
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(server.close)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            for task in asyncio.all_tasks(loop):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    loop.run_until_complete(task)
            loop.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        service, to_service = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            while await self._handed_on(client, to_client, service, to_service):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):  # Cancelled when all is over.
            pass
        finally:
            for end in (to_client, to_service):
                end.transport.abort()

    async def _handed_on(
        self,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        service: asyncio.StreamReader,
        to_service: asyncio.StreamWriter,
    ) -> bool:
        """Hand one request and its answer on; answers whether the line still holds."""
        request = await _message(client)
        way = self._draw.choice(WAYS) if self._draw.random() < 0.35 else None
        if way:
            self.cuts[way] += 1
        if way == WAYS[0]:
            return False
        if way == WAYS[1]:
            to_service.write(request[: self._draw.randrange(1, len(request))])
            await to_service.drain()
            return False
        to_service.write(request)
        answer = await _message(service)  # By then it is committed, and the people know nothing.
        if way == WAYS[2]:
            return False
        to_client.write(answer[: self._draw.randrange(1, len(answer))] if way else answer)
        await to_client.drain()
        if way:
            to_client.close()
            await to_client.wait_closed()
        return not way


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


def cut(ground: Ground, cuts: int, *, new_key_each_try: bool = False) -> Figures:
    """Cut so many requests and answers; on PostgreSQL so many commits of the service on its own line, too."""
    url, journal = ground.shop.database(ground.engine), ground.folder() / "journal"
    token, line = found(url), CutLine(url, ground.folder()) if ground.engine == "PostgreSQL" else None
    with (
        Service(ground.shop, line.url if line else url) as service,
        CuttingProxy(service.port, Random(ground.draw.random())).running() as proxy,
        Crowd(
            [proxy.port], token, journal, ground.draw, people=4, new_key_each_try=new_key_each_try
        ).at_work() as crowd,
    ):
        while proxy.cuts.total() < cuts or (line and line.cuts < cuts):
            if line:
                line.cut_at_commit(ground.draw.choice(("before", "after")))
            crowd.wait_for(1)
    if line:
        line.close()
    figures = judged(url, journal)
    figures.trials = proxy.cuts.total() + (line.cuts if line else 0)
    figures.more = dict(proxy.cuts) | ({"at a commit of the service": line.cuts} if line else {})
    return figures


ROW = Row(
    name="cut",
    fault="the line is cut before the commit, after it, in the middle of a message",
    engines=BOTH,
    trial=lambda ground: cut(ground, ground.size.cuts),
    control=lambda ground: cut(ground, ground.size.cuts // 2, new_key_each_try=True),
    without="a new key at each try",
)
