"""Two hundred live subscriptions while Redis and the web server are killed and come back."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from domain.core.clock import now
from domain.core.delivery import Claim, accepted
from domain.core.deps import Deps
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from tests.client import Client, Json, receive, subscribe
from tests.graph.analyses import id_of, put_analysis
from tests.graph.web_process import WebProcess
from tests.jobs.pieces import LEASE, own_redis, until

ANALYSES = 40
SOCKETS = 10
FOLLOWERS = 5
"""Subscriptions to each analysis: two hundred in all."""
RECONNECT_SECONDS = 0.2
STATUS = """
subscription ($id: ID!, $after: String) {
  gapAnalysisStatus(id: $id, after: $after) { cursor gapAnalysis { status } }
}
"""


@dataclass
class Followed:
    """What one subscription has seen, over all its connections."""

    id: str
    versions: list[int] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    is_complete: bool = False

    @property
    def variables(self) -> Json:
        return {"id": self.id, "after": str(self.versions[-1]) if self.versions else None}

    def see(self, frame: Json) -> None:
        if frame["type"] == "complete":
            self.is_complete = True
            return
        event = frame["payload"]["data"]["gapAnalysisStatus"]
        self.versions.append(int(event["cursor"]))
        self.statuses.append(event["gapAnalysis"]["status"])


async def follow(client: Client, all_followed: list[Followed]) -> int:
    """Follow all until they are complete, as graphql-ws does: when the socket is lost, connect
    again and subscribe anew to what is not complete. Gives the number of connections made."""
    connections = 0
    while not all(one.is_complete for one in all_followed):
        try:
            async with client.socket() as socket:
                connections += 1
                for number, one in enumerate(all_followed):
                    if not one.is_complete:
                        await subscribe(socket, str(number), STATUS, one.variables)
                while not all(one.is_complete for one in all_followed):
                    frame = await receive(socket)
                    all_followed[int(frame["id"])].see(frame)
        except (ConnectionClosed, OSError):
            await asyncio.sleep(RECONNECT_SECONDS)
    return connections


@dataclass
class Author:
    """Writes to the analyses as a worker does."""

    deps: Deps
    claims: list[Claim]

    async def advance(self, claims: Iterable[Claim], percent: int) -> None:
        fields = {"status": GapAnalysisStatus.PROCESSING, "progress_percent": percent}
        await asyncio.gather(*(self._advance(claim, fields) for claim in claims))

    async def close(self, claims: Iterable[Claim]) -> None:
        await asyncio.gather(*(self._close(claim) for claim in claims))

    async def _advance(self, claim: Claim, fields: dict[str, object]) -> None:
        analysis = await GapAnalysis.get(claim.id)
        assert analysis is not None
        assert await analysis.advance(claim, fields)
        await self.deps.changes.announce(GapAnalysis, claim.id)

    async def _close(self, claim: Claim) -> None:
        analysis = await GapAnalysis.get(claim.id)
        assert analysis is not None
        done = {"status": GapAnalysisStatus.COMPLETED, "progress_percent": 100}
        assert await analysis.close(claim, {**done, "completed_at": now()})
        await self.deps.changes.announce(GapAnalysis, claim.id)


async def claimed_analyses(deps: Deps, client: Client) -> tuple[list[str], list[Claim]]:
    made = [
        await put_analysis(deps, client, "PENDING", delivery=accepted(now()))
        for _ in range(ANALYSES)
    ]
    claims = [await GapAnalysis.claim(one.id, LEASE) for one in made]
    return [id_of(one) for one in made], [claim for claim in claims if claim]


@pytest.mark.timeout(60)
async def test_two_hundred_followers_see_the_end_once_whatever_is_killed(
    client: Client, deps: Deps, tmp_path: Path
) -> None:
    ids, claims = await claimed_analyses(deps, client)
    thirds = [claims[part::3] for part in range(3)]
    followed = [Followed(id) for id in ids for _ in range(FOLLOWERS)]

    async def all_have_seen(version: int) -> bool:
        return all(one.versions and one.versions[-1] >= version for one in followed)

    async def third_is_complete() -> bool:
        return sum(one.is_complete for one in followed) == len(thirds[0]) * FOLLOWERS

    async with own_redis(deps, tmp_path) as redis:
        web = WebProcess(redis.deps)
        there = Client(web.address, client.token)
        author = Author(redis.deps, claims)
        async with web.running():
            following = [
                asyncio.create_task(follow(there, followed[part::SOCKETS]))
                for part in range(SOCKETS)
            ]
            await until(lambda: all_have_seen(1))
            redis.kill()
            await author.advance(claims, 20)  # announced to nobody
            await until(lambda: all_have_seen(2))
            await author.close(thirds[0])
            await until(third_is_complete)
            await web.kill()
            await author.advance([*thirds[1], *thirds[2]], 40)
            await author.close(thirds[1])
            await web.start()
            await until(lambda: all_have_seen(3))
            await author.close(thirds[2])
            connections = await asyncio.wait_for(asyncio.gather(*following), 20)

    assert len(followed) == ANALYSES * FOLLOWERS == 200
    assert min(connections) >= 2
    for one in followed:
        assert one.statuses.count("COMPLETED") == 1, json.dumps(one.statuses)
        assert one.statuses[-1] == "COMPLETED"
        assert one.versions == sorted(set(one.versions)), one.versions
