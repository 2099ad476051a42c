"""People who ask and follow, all at once, while processes die."""

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import cycle

from cli.local.polling import until
from cli.tokens import issue
from domain.core.deps import open_deps
from domain.profile.actions import ensure_user
from tests.chaos.fleet import Fleet
from tests.chaos.followers import Followed, Follower
from tests.chaos.kinds import CV, GAP_ANALYSIS, Kind
from tests.chaos.load import CV_TEXT, POSTING, Asked, PlannedAsk, ask_as_planned
from tests.client import Client, Json


async def doors_of(fleet: Fleet, people: int) -> list[list[Client]]:
    """For each of so many people a client at each web server, first at that which they prefer."""
    async with open_deps(fleet.settings) as deps:
        users = [await ensure_user(f"person-{number}@example.com") for number in range(people)]
        tokens = [await issue(deps, user) for user in users]
    orders = cycle([fleet.webs, fleet.webs[::-1]])
    return [[Client(web, token) for web in next(orders)] for token in tokens]


class Crowd:
    """The people of one run; `doors` as `doors_of` gives them."""

    def __init__(self, doors: Sequence[Sequence[Client]]) -> None:
        self.asked: list[Asked] = []
        self._doors = doors
        self._followers = [Follower(each) for each in doors]
        self._cvs: list[list[str]] = [[] for _ in doors]
        self._brought = [asyncio.Event() for _ in doors]

    @property
    def followed(self) -> list[Followed]:
        """All that anybody follows."""
        return [one for follower in self._followers for one in follower.followed]

    async def keep_following(self) -> None:
        """Keep everybody's socket up until cancelled."""
        await asyncio.gather(*(follower.run() for follower in self._followers))

    async def bring_cv(self, plan: PlannedAsk) -> None:
        """Bring a CV at the planned moment and follow it."""
        await asyncio.sleep(plan.at)
        asked = await self._ask(CV, plan, {"text": CV_TEXT, "title": f"CV {plan.key}"})
        if asked.ids:
            self._cvs[plan.person] += asked.ids
            self._brought[plan.person].set()

    async def submit(self, plan: PlannedAsk) -> None:
        """Submit an analysis of one of the person's CVs at the planned moment and follow it."""
        await asyncio.sleep(plan.at)
        await self._brought[plan.person].wait()
        cvs = self._cvs[plan.person]
        cv = cvs[int(plan.choice * len(cvs))]
        await self._ask(GAP_ANALYSIS, plan, {"cvId": cv, "jobPosting": POSTING})

    async def settle(self, patience: float) -> None:
        """Wait until everybody saw the end of all they follow, for `patience` seconds at most."""
        with contextlib.suppress(TimeoutError):
            await until(self._is_settled, timeout=patience)

    async def _is_settled(self) -> bool:
        return all(one.is_over for one in self.followed)

    async def _ask(self, kind: Kind, plan: PlannedAsk, input: Json) -> Asked:
        asked = await ask_as_planned(kind, self._doors[plan.person], input, plan)
        self.asked.append(asked)
        for id in asked.ids:
            await self._followers[plan.person].follow(kind, id)
        return asked
