"""A real repository on disk, served over HTTP by git's own server program behind a forge that can misbehave."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ingest.model import DocumentId, Entry, Original, Readers
from ingest.sources.git.settings import GitSettings
from ingest.sources.git.source import Git
from tests.fixtures.serving import served

ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath)}  # noqa: TID251 - where this machine has git

TOKEN = "forge-token"

LINK = "https://forge.example.org/team/handbook/{branch}/{path}"


def git(folder: Path, *arguments: str, input: bytes = b"", **variables: str) -> str:
    """What a git command prints that Ada runs in `folder`, on 1 March 2026 or as `variables` say."""
    fixed = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_AUTHOR_DATE": "2026-03-01T12:00:00Z",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_COMMITTER_DATE": "2026-03-01T12:00:00Z",
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=ENVIRONMENT | fixed | variables,
        input=input,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


class Workshop:
    """A repository with a work tree, where somebody commits to `main`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> Workshop:
        self.folder.mkdir(parents=True)
        git(self.folder, "init", "--quiet", "--initial-branch=main")
        git(self.folder, "config", "uploadpack.allowFilter", "true")
        return self

    def write(self, path: str, content: str | bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes | None] | None = None, **variables: str) -> str:
        """Write the files, remove those that are None, commit; the commit's id."""
        for path, content in (files or {}).items():
            if content is None:
                (self.folder / path).unlink()
            else:
                self.write(path, content)
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--message", "change", **variables)
        return git(self.folder, "rev-parse", "HEAD").strip()


class Forge:
    """Serves the repository in `folder` as `/team/handbook.git`, to those who hold the token if there is one."""

    backend = Path(
        subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True, timeout=60).stdout.strip(),
        "git-http-backend",
    )

    def __init__(self, folder: Path, *, token: str | None = TOKEN) -> None:
        self.folder = folder
        self.token = token
        self.busy = 0
        self.waited = 0
        self.retry_after = "0"
        self.breaks = False
        """Whether the connection is cut in the middle of what a fetch gets."""
        self.answer: Response | None = None
        """What every request is answered, in place of what was asked for."""
        self.requests: list[Request] = []
        self.url = ""

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        app = Starlette(routes=[Route("/team/handbook.git/{path:path}", self._answered, methods=["GET", "POST"])])
        async with served(app) as port:
            self.url = f"http://127.0.0.1:{port}/team/handbook.git"
            yield self.url

    async def _answered(self, request: Request) -> Response:
        self.requests.append(request)
        body = await request.body()
        if self.busy > 0:
            self.busy -= 1
            self.waited += 1
            return Response("slow down", 429, {"Retry-After": self.retry_after})
        if self.answer is not None:
            return self.answer
        wanted = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        if self.token is not None and request.headers.get("authorization") != f"Basic {wanted}":
            return Response("who are you?", 401, {"WWW-Authenticate": 'Basic realm="forge"'})
        headers, content = await self._backend(request, body)
        if self.breaks and b"command=fetch" in body:
            return StreamingResponse(_cut(content), headers=headers)
        return Response(content, int(headers.pop("status", "200")[:3]), headers)

    async def _backend(self, request: Request, body: bytes) -> tuple[dict[str, str], bytes]:
        """One request in the Common Gateway Interface (RFC 3875)."""
        environment = ENVIRONMENT | {
            "GIT_PROJECT_ROOT": str(self.folder / ".git"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": f"/{request.path_params['path']}",
            "QUERY_STRING": request.url.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        }
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(self.backend, env=environment, stdin=pipe, stdout=pipe)
        async with asyncio.timeout(60):
            output, _ = await process.communicate(body)
        head, _, content = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return {name.lower(): value for name, value in headers.items()}, content


async def _cut(content: bytes) -> AsyncIterator[bytes]:
    yield content[: len(content) // 2]
    raise ConnectionAbortedError("the forge broke the connection, as it was told to")


class Counting(Git):
    """The source, counting what it hands out."""

    handed_out = 0

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        async with super().fetch(entry) as original:
            type(self).handed_out += 1
            yield original


class GitWorld:
    kind = "git"
    not_applicable: Mapping[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self._workshop = Workshop(folder / "workshop")
        self._forge = Forge(self._workshop.folder)
        self._cache = folder / "cache"
        self._paths: dict[str, str] = {}
        self._restricted: dict[str, list[str]] = {}
        self._lost: dict[Path, bytes] = {}
        self._source = type("Counted", (Counting,), {"handed_out": 0})
        if not self._forge.backend.is_file():
            missing = "git's HTTP server program (`git http-backend`) is not installed here"
            self.not_applicable = dict.fromkeys(
                ("429 with Retry-After", "credentials revoked", "page 2 fails"), missing
            )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self._workshop.make()
        async with self._forge.served():
            yield

    def source(self) -> Git:
        url = f"file://{self._workshop.folder}" if self.not_applicable else self._forge.url
        access = [{"paths": f"/{self._paths[key]}", "readers": held} for key, held in self._restricted.items()]
        settings = GitSettings.model_validate({"url": url, "access": access, "link": LINK, "token": SecretStr(TOKEN)})
        made: Git = self._source("handbook", settings, cache=self._cache, max_file_mb=1, environment=ENVIRONMENT)
        return made

    async def put(self, key: str, text: str) -> None:
        path = self._paths.setdefault(key, f"docs/{key}.md")
        self._commit({path: f"# {key.title()}\n\n{text}\n"})

    async def rename(self, key: str) -> None:
        old = self._paths[key]
        self._paths[key] = new = f"renamed/{Path(old).name}"
        content = (self._workshop.folder / old).read_bytes()
        self._commit({old: None, new: content})

    async def delete(self, key: str) -> None:
        self._commit({self._paths.pop(key): None})

    async def restrict(self, key: str) -> Readers:
        self._restricted[key] = ["group:board"]
        return self.readers(key)

    def id(self, key: str) -> DocumentId:
        return DocumentId(self._paths[key])

    def readers(self, key: str) -> Readers:
        return frozenset(self._restricted.get(key, ["everyone"]))

    def fetched(self) -> int:
        count: int = self._source.handed_out
        return count

    async def break_second_page(self, broken: bool = True) -> None:
        """The branch is named, and what it holds comes half."""
        self._forge.breaks = broken

    async def empty(self) -> None:
        """The repository is made anew, as by a forge that was restored without its data."""
        shutil.rmtree(self._workshop.folder)
        self._workshop.make()

    async def busy(self, times: int) -> None:
        self._forge.busy = times

    def waited(self) -> int:
        return self._forge.waited

    async def revoke(self) -> None:
        self._forge.token = "another-token"

    async def put_large(self, key: str) -> None:
        self._paths[key] = f"docs/{key}.md"
        self._commit({self._paths[key]: b"much text " * 120_000})

    async def put_unknown(self, key: str) -> None:
        self._paths[key] = f"docs/{key}.tape"
        self._commit({self._paths[key]: b"\x00\x1b\xfe\xff\x80tape\x00" * 50})

    async def put_failing(self, key: str) -> None:
        """A repository that has lost one content."""
        await self.put(key, "No one reads this.")
        blob = git(self._workshop.folder, "rev-parse", f"HEAD:{self._paths[key]}").strip()
        file = self._workshop.folder / ".git" / "objects" / blob[:2] / blob[2:]
        self._lost[file] = file.read_bytes()
        file.unlink()

    def _commit(self, files: Mapping[str, str | bytes | None]) -> None:
        """With the contents that are lost, without which git commits nothing."""
        for file, content in self._lost.items():
            file.write_bytes(content)
        self._workshop.commit(files)
        for file in self._lost:
            file.unlink()


def world(folder: Path) -> GitWorld:
    return GitWorld(folder)
