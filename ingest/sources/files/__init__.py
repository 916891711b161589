"""Files as documents: of a folder, or below an address of an object store or a file server."""

from ingest.sources.files.settings import AccessRule, FilesSettings
from ingest.sources.files.source import Files

__all__ = ["AccessRule", "Files", "FilesSettings"]
