"""The far side of a repository, as git is told of it: through the environment, so that it stands nowhere else."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from ingest.sources.git.settings import GitSettings


class Remote:
    """Where the repository is, and as whom it is read."""

    def __init__(self, settings: GitSettings) -> None:
        self.url = settings.url
        self._scheme = _scheme(settings.url)
        self._token = settings.token
        self._user = settings.user

    @property
    def is_http(self) -> bool:
        return self._scheme in ("http", "https")

    @property
    def variables(self) -> dict[str, str]:
        """No other protocol than the address's own; over HTTP, the headers of each answer in what git says."""
        if not self.is_http:
            return {"GIT_ALLOW_PROTOCOL": self._scheme}
        return {
            "GIT_ALLOW_PROTOCOL": "https" if self._scheme == "https" else "http:https",
            "GIT_TRACE_CURL": "1",
            "GIT_TRACE_CURL_NO_DATA": "1",
            "GIT_TRACE_REDACT": "1",
        }

    @property
    def configuration(self) -> tuple[tuple[str, str], ...]:
        """The remote `origin`: a promisor, of which contents are fetched apart."""
        origin = (
            ("remote.origin.url", self.url),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
        )
        if self._token is None or not self.is_http:
            return origin
        key = base64.b64encode(f"{self._user}:{self._token.get_secret_value()}".encode()).decode()
        # Git would send the header on to wherever it is redirected.
        header = (
            (f"http.{_site(self.url)}.extraHeader", f"Authorization: Basic {key}"),
            ("http.followRedirects", "false"),
        )
        return (*origin, *header)


def _scheme(url: str) -> str:
    if url.startswith("/"):
        return "file"
    return url.partition("://")[0] if "://" in url else "ssh"


def _site(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"
