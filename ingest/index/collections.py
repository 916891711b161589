"""The generations of an index on a Qdrant server: numbered collections, and two aliases that say which is in use.

The alias of the configuration (`souffleur`) names the collection in use (`souffleur-3`), `souffleur-previous` the one
before it. Both change in one request, which the server applies whole or not at all. Numbers only grow. A collection
that neither alias names is a draft when its number is higher, else left over; nobody reads either.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from ingest.errors import ConfigurationError
from ingest.index.interface import Identity, IndexDamaged, IndexMissing, IndexUnavailable
from ingest.index.schema import DENSE, LEXICAL, PAYLOAD_INDEXES

NO_ROOM = b"No space left"
"""What a server's refusal has when its disk is full."""

OVER_LIMIT = re.compile("limit (?:reached|exceeded)", re.IGNORECASE)
"""What a server says whose strict mode forbids a request: a condition of so many values (`condition_max_size`), so wide
a search (`search_max_hnsw_ef`), so many points (Qdrant, lib/collection/src/operations/verification/mod.rs)."""

_IDENTITY = TypeAdapter(Identity)
_INDEX_TYPES = {"keyword": models.PayloadSchemaType.KEYWORD, "datetime": models.PayloadSchemaType.DATETIME}
_BUSY = frozenset({408, 409, 429, 500, 502, 503, 504})

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class InUse:
    """The collections behind the two aliases, where there are such."""

    current: str | None
    previous: str | None


class Collections:
    """One server's collections, by their alias, and the one place where the client's errors become ours."""

    def __init__(self, client: AsyncQdrantClient, *, alias: str, place: str, in_memory: bool) -> None:
        """`in_memory`: the client is its own engine, which indexes no payload, and warns that it does not."""
        self.client = client
        self.alias = alias
        self._previous_alias = f"{alias}-previous"
        self._place = place
        self._in_memory = in_memory

    async def ask(self, call: Awaitable[Result], collection: str | None = None) -> Result:
        """What `call` answers. Raises `IndexUnavailable`, `IndexDamaged`, `ConfigurationError`.

        `IndexMissing` is told of `collection`; of the alias where none is given.
        """
        collection = collection or self.alias
        try:
            return await call
        except UnexpectedResponse as error:
            raise self._translated(error, collection) from error
        except (ResponseHandlingException, QdrantException) as error:
            said = str(error).partition("\n")[0]
            raise IndexUnavailable(f"Qdrant at {self._place!r} does not answer ({said}); is it running?") from error
        except AssertionError as error:  # how the client says that there was no `result` in the answer
            raise IndexUnavailable(f"what answers at {self._place!r} is not Qdrant; check `index.url`") from error
        except ValueError as error:  # from the client's own engine alone
            if "not found" in str(error):
                raise self.missing(collection) from error
            raise IndexUnavailable(f"the collection {collection!r} at {self._place!r}: {error}") from error

    def missing(self, collection: str | None) -> IndexMissing:
        """That `collection` is not there; None for a draft."""
        if collection == self.alias:
            return IndexMissing(f"there is no collection {self.alias!r} at {self._place!r} yet; run `ingest sync`")
        if collection is None:
            return IndexMissing(f"there is no draft of {self.alias!r} at {self._place!r}; run `ingest reindex`")
        return IndexMissing(
            f"the collection {collection!r} at {self._place!r} is gone: a later `ingest reindex` took its place"
        )

    async def in_use(self) -> InUse:
        """Raises `IndexDamaged` where a collection has the alias's name: a server allows one or the other."""
        known = await self._aliases()
        if self.alias not in known and await self.ask(self.client.collection_exists(self.alias)):
            raise IndexDamaged(
                f"{self.alias!r} at {self._place!r} is a collection, where this program keeps an alias; set"
                " `index.collection` to another name and run `ingest reindex`, or delete that collection"
            )
        return InUse(current=known.get(self.alias), previous=known.get(self._previous_alias))

    async def put_in_use(self, old: InUse, new: InUse) -> None:
        """Let both aliases name the collections of `new`, in one request."""
        actions: list[models.CreateAliasOperation | models.DeleteAliasOperation] = []
        for alias, before, after in (
            (self.alias, old.current, new.current),
            (self._previous_alias, old.previous, new.previous),
        ):
            if before is not None:
                actions.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)))
            if after is not None:
                made = models.CreateAlias(collection_name=after, alias_name=alias)
                actions.append(models.CreateAliasOperation(create_alias=made))
        await self.ask(self.client.update_collection_aliases(actions), new.current)

    async def draft(self) -> str | None:
        """The newest collection that is not in use yet, made whole."""
        in_use = await self.in_use()
        oldest = max((self._number(name) for name in (in_use.current, in_use.previous) if name), default=0)
        newest = next((name for name, _ in reversed(await self._unused(in_use)) if self._number(name) > oldest), None)
        if newest is not None:
            await self._make_payload_indexes(newest)  # whoever began it may have been killed before
        return newest

    async def sweep(self, in_use: InUse, new: str) -> None:
        """Delete every collection of this program's that no alias names, but `new`."""
        for name, _ in await self._unused(in_use):
            if name != new:
                await self.drop(name)

    async def drop(self, name: str) -> None:
        await self.ask(self.client.delete_collection(name), name)

    async def identity(self, name: str) -> Identity:
        """What that collection, or the one behind that alias, was built with. Raises `IndexMissing`."""
        return self._identity_in(name, await self.ask(self.client.get_collection(name), name))

    async def find(self, name: str) -> models.CollectionInfo | None:
        if not await self.ask(self.client.collection_exists(name), name):
            return None
        return await self.ask(self.client.get_collection(name), name)

    async def make(self, identity: Identity) -> str:
        """An empty collection with a number higher than any there is; its name."""
        name = self._numbered(max(await self._numbers(), default=0) + 1)
        await self._make(name, identity)
        return name

    async def make_first(self, identity: Identity) -> None:
        """Make an index where there is none, as any number of processes at once, which end up with the same one."""
        for name in map(self._numbered, itertools.count(1)):
            info = await self.find(name)
            if info is None:
                try:
                    await self._make(name, identity)
                except (IndexUnavailable, IndexDamaged):
                    if (info := await self.find(name)) is None:
                        raise
            in_use = await self.in_use()
            if in_use.current is not None:
                return
            if info is None or self._is_this_one(name, info, identity):
                await self._make_payload_indexes(name)
                await self.put_in_use(in_use, InUse(current=name, previous=in_use.previous))
                return

    async def _make(self, name: str, identity: Identity) -> None:
        dense: dict[str, models.VectorParams] = {}
        if identity.size is not None:
            dense[DENSE] = models.VectorParams(size=identity.size, distance=models.Distance.COSINE)
        # By default a filter that leaves few points of a segment has all of them compared, ten times slower.
        index = models.SparseIndexParams(full_scan_threshold=1)
        await self.ask(
            self.client.create_collection(
                name,
                vectors_config=dense,
                sparse_vectors_config={LEXICAL: models.SparseVectorParams(index=index, modifier=models.Modifier.IDF)},
                metadata=asdict(identity),
            ),
            name,
        )
        await self._make_payload_indexes(name)

    async def _make_payload_indexes(self, name: str) -> None:
        if not self._in_memory:
            for field, kind in PAYLOAD_INDEXES.items():
                await self.ask(self.client.create_payload_index(name, field, _INDEX_TYPES[kind], wait=True), name)

    def _is_this_one(self, name: str, info: models.CollectionInfo, identity: Identity) -> bool:
        """Whether somebody else is making this very index; one with points in it, and no alias, is left over."""
        if info.points_count or not self._is_ours(name, info):
            return False
        there = self._identity_in(name, info)
        return (there.pipeline, there.embedding, there.size) == (identity.pipeline, identity.embedding, identity.size)

    async def _unused(self, in_use: InUse) -> list[tuple[str, models.CollectionInfo]]:
        """This program's collections that no alias names, in order of number."""
        found = []
        for name in map(self._numbered, await self._numbers()):
            info = None if name in (in_use.current, in_use.previous) else await self.find(name)
            if info is not None and self._is_ours(name, info):
                found.append((name, info))
        return found

    async def _aliases(self) -> dict[str, str]:
        aliases = (await self.ask(self.client.get_aliases())).aliases
        return {alias.alias_name: alias.collection_name for alias in aliases}

    async def _numbers(self) -> list[int]:
        """Of every generation, and of whatever else has such a name, in order."""
        collections = (await self.ask(self.client.get_collections())).collections
        names = [*(collection.name for collection in collections), *await self._aliases()]
        return sorted(number for name in names if (number := self._number(name)))

    def _numbered(self, number: int) -> str:
        return f"{self.alias}-{number}"

    def _number(self, name: str) -> int:
        """That of a generation; 0 for any other name."""
        number = name.removeprefix(f"{self.alias}-")
        return int(number) if number.isdecimal() and name == self._numbered(int(number)) else 0

    def _is_ours(self, name: str, info: models.CollectionInfo) -> bool:
        try:
            self._identity_in(name, info)
        except IndexDamaged:
            return False
        return True

    def _identity_in(self, name: str, info: models.CollectionInfo) -> Identity:
        metadata = info.config.metadata
        if not metadata:
            raise IndexDamaged(
                f"the collection {name!r} at {self._place!r} is not one of this program's; set `index.collection` to"
                " another name, or run `ingest reindex` to replace it"
            )
        try:
            return _IDENTITY.validate_python(metadata)
        except ValidationError as error:
            raise IndexDamaged(
                f"the metadata of collection {name!r} at {self._place!r} cannot be read; run `ingest reindex`"
            ) from error

    def _translated(
        self, error: UnexpectedResponse, collection: str
    ) -> IndexUnavailable | IndexDamaged | ConfigurationError:
        if error.status_code in (400, 403) and OVER_LIMIT.search(said := _said(error.content)):
            return ConfigurationError(
                f"Qdrant at {self._place!r} refused a request by its strict mode: {said}; raise that limit for"
                f" collection {collection!r} (`strict_mode_config`)"
            )
        if error.status_code in (401, 403):
            return ConfigurationError(
                f"Qdrant at {self._place!r} refused the key ({error.status_code}); set SOUFFLEUR_QDRANT_API_KEY"
            )
        if error.status_code == 404:
            return self.missing(collection)
        if NO_ROOM in error.content:
            return IndexUnavailable(f"the disk of Qdrant at {self._place!r} is full; free some space there")
        if error.status_code in _BUSY:
            return IndexUnavailable(f"Qdrant at {self._place!r} answered {error.status_code}; try again shortly")
        return IndexDamaged(
            f"Qdrant at {self._place!r} refused a request for collection {collection!r}: {error.content[:200]!r};"
            " run `ingest reindex`"
        )


def _said(content: bytes) -> str:
    """A server's reason for a refusal, on one line and without its advice."""
    try:
        said = json.loads(content)["status"]["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    return " ".join(str(said).partition(". Help:")[0].split())[:200]
