"""SFTP as fsspec has it, but only to servers whose key is known: anyone else would be handed the password."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from ingest.sources.files.drivers import SILENCE_SECONDS
from ingest.sources.interface import SourceRefused

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # it logs what it raises as well, with a traceback


class _OnlyKnown(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        host, _, port = hostname.lstrip("[").partition("]:")
        raise SourceRefused(
            f"the server {hostname!r} shows the key {key.fingerprint}, which no list of known hosts has; compare it"
            f" with the server's own, then run: ssh-keyscan -p {port or 22} {host} >> ~/.ssh/known_hosts"
        )


class Sftp(SFTPFileSystem):  # type: ignore[misc]
    """`known_hosts` names a list of its own; otherwise it is that of the user, `~/.ssh/known_hosts`."""

    def __init__(self, host: str, *, known_hosts: str | None = None, **options: object) -> None:
        self._known_hosts = None if known_hosts is None else str(Path(known_hosts).expanduser())
        super().__init__(host, **options)

    def _connect(self) -> None:
        with ExitStack() as undo:
            self.client = paramiko.SSHClient()
            undo.callback(self.client.close)
            self.client.load_system_host_keys(self._known_hosts)
            self.client.set_missing_host_key_policy(_OnlyKnown())
            self.client.connect(self.host, **self.ssh_kwargs)
            self.ftp = self.client.open_sftp()
            if (channel := self.ftp.get_channel()) is not None:
                channel.settimeout(SILENCE_SECONDS)
            undo.pop_all()

    def close(self) -> None:
        self.client.close()
