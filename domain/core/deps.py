"""Everything that actions need, opened once for each process."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from domain.auth.external_issuers import ExternalIssuers
from domain.auth.keys import open_key_ring
from domain.auth.last_use import LastUse
from domain.auth.revocations import Revocations
from domain.auth.tokens import Signers, make_signers
from domain.clients.language_model import LanguageModel
from domain.clients.queue import ArqQueue, JobQueue
from domain.core.events import Changes
from domain.core.mongo import bind_documents, open_client
from domain.core.secrets import Secrets, load_secrets
from domain.core.settings import Settings
from domain.gap_analysis.analyst import Analyst
from domain.gap_analysis.model_analyst import ModelAnalyst
from domain.gap_analysis.rule_analyst import RuleAnalyst
from domain.sign_in.external import ExternalUsers
from domain.skills.catalogue import Catalogue, load_catalogue
from domain.skills.engine import LocalSkillEngine, SkillEngine, load_extractor
from domain.skills.extraction import SkillExtractor

if TYPE_CHECKING:
    from domain.clients.claude import Claude


@dataclass(frozen=True, slots=True)
class Deps:
    """The parts of a running process. Tests swap one with `dataclasses.replace`."""

    settings: Settings
    database: AsyncDatabase[dict[str, object]]
    redis: Redis
    queue: JobQueue
    changes: Changes
    secrets: Secrets
    signers: Signers
    external_issuers: ExternalIssuers
    external_users: ExternalUsers
    revocations: Revocations
    last_use: LastUse
    catalogue: Catalogue
    extractor: SkillExtractor
    skill_engine: SkillEngine
    model: LanguageModel | None
    """None without a key; the built-in analyst works then."""
    analyst: Analyst


@contextlib.asynccontextmanager
async def open_deps(settings: Settings) -> AsyncIterator[Deps]:
    """Connect to what the settings name, and close it all at the end.

    A Redis that is down is no reason not to start; a MongoDB that is down is.
    """
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_client(settings))
        database = await bind_documents(client, settings)
        redis = open_redis(settings)
        stack.push_async_callback(redis.aclose)
        queue = ArqQueue(settings.redis_url)
        stack.push_async_callback(queue.aclose)
        changes = Changes(redis, settings.reread_seconds)
        await stack.enter_async_context(changes.running())
        revocations, last_use = Revocations(redis), LastUse()
        await stack.enter_async_context(revocations.running())
        await stack.enter_async_context(last_use.running())
        claude = _open_claude(settings)
        if claude is not None:
            stack.push_async_callback(claude.aclose)
        ring = open_key_ring(settings.data_dir)
        external_issuers = ExternalIssuers(settings.external_issuers)
        stack.push_async_callback(external_issuers.aclose)
        yield Deps(
            settings=settings,
            database=database,
            redis=redis,
            queue=queue,
            changes=changes,
            secrets=load_secrets(settings),
            signers=make_signers(ring, settings.token_issuer, settings.token_audience),
            external_issuers=external_issuers,
            external_users=ExternalUsers(),
            revocations=revocations,
            last_use=last_use,
            catalogue=load_catalogue(),
            extractor=load_extractor(),
            skill_engine=LocalSkillEngine(),
            model=claude,
            analyst=_analyst(settings, claude),
        )


def open_redis(settings: Settings) -> Redis:
    """A client that fails fast: what Redis carries can do without it for a while.

    Its timeouts and the queue's together stay under the 2 s in which a submit is to be accepted.
    """
    redis: Redis = Redis.from_url(
        settings.redis_url, socket_timeout=0.5, socket_connect_timeout=0.5, decode_responses=True
    )
    return redis


def _open_claude(settings: Settings) -> "Claude | None":
    if settings.anthropic_api_key is None:
        return None
    # The SDK takes as long to load as all else together, and most processes work without it.
    from domain.clients.claude import Claude

    return Claude(
        api_key=settings.anthropic_api_key.get_secret_value(),
        base_url=settings.anthropic_base_url,
        model=settings.model,
        timeout_seconds=settings.model_timeout_seconds,
        max_tokens=settings.model_max_tokens,
        max_retries=0,  # the delivery layer retries, with the worker's slot released meanwhile
    )


def _analyst(settings: Settings, model: LanguageModel | None) -> Analyst:
    if model is None:
        return RuleAnalyst(load_catalogue(), load_extractor())
    return ModelAnalyst(model, settings.model_input_characters, settings.gap_questions_max)
