"""Objects in buckets as paths: listing, opening and writing them, by pyarrow.

Credentials come from the environment only, as the clouds' own tools take them (variables, a profile, the role of the
machine), and never stand in a project file, a message or a log:

- ``s3://``: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, ``AWS_PROFILE``, ``AWS_REGION``,
  ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` for another server that speaks S3 (MinIO, Ceph, R2 …),
  ``AWS_NO_SIGN_REQUEST``;
- ``gs://``: ``GOOGLE_APPLICATION_CREDENTIALS``, ``STORAGE_EMULATOR_HOST`` for another server.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path, PosixPath
from typing import Any, Self
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from analytics.errors import FileVanishedError, RemoteError

SCHEMES = ("s3://", "gs://")
_CONNECT_SECONDS = 10.0
_REQUEST_SECONDS = 60.0
_ATTEMPTS = 4
_BUFFER = 1 << 20
_TRAILER = 100
_TRUSTED: dict[int, fs.FileSystem] = {}
"""File systems that were seen to keep what they are sent."""
_SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_KNOWN = (
    *_SECRETS, "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3", "AWS_NO_SIGN_REQUEST", "GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST",
)  # fmt: skip
_SECRET_KEYS = re.compile(r"[?&]\w*(key|token|secret|endpoint)\w*=", re.IGNORECASE)
_DENIED = re.compile(
    r"ACCESS_DENIED|SIGNATURE_DOES_NOT_MATCH|INVALID_ACCESS_KEY|MISSING_AUTHENTICATION|INVALID_CLIENT_TOKEN|"
    r"EXPIRED_TOKEN|UNRECOGNIZED_CLIENT|PermissionDenied|Permission denied|Unauthenticated|status 40[13]|"
    r"InvalidToken|credentials",
    re.IGNORECASE,
)
_NO_BUCKET = re.compile(r"NO_SUCH_BUCKET|bucket does not exist|bucket.*not found", re.IGNORECASE)
_ELSEWHERE = re.compile(r"PERMANENT_REDIRECT|status 301|AUTHORIZATION_HEADER_MALFORMED|region", re.IGNORECASE)
_UNREACHED = re.compile(
    r"NETWORK_CONNECTION|curlCode|could not connect|couldn't connect|resolve host|timed? ?out|Unavailable|retry policy",
    re.IGNORECASE,
)
_FROM_STORAGE = re.compile(
    r"AWS Error|google::cloud|\bGCS?\b|\bS3\b|Path does not exist|bucket|object|credential|curl|"
    r"HTTP|retry policy|Permission denied",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"NO_SUCH_KEY|RESOURCE_NOT_FOUND|status 404|INVALID_RANGE|status 416|PRECONDITION_FAILED", re.IGNORECASE
)


class RemotePath(PosixPath):
    """The path of an object; it reads ``s3://bucket/key`` wherever it is written.

    What a path is asked that needs the bucket is asked there; the rest of `pathlib` works on the parts of the name.

    >>> path = RemotePath("s3://bucket/logs/day=2026-01-01/a.csv.gz")
    >>> str(path.parent), path.suffixes, path.bucket, path.key
    ('s3://bucket/logs/day=2026-01-01', ['.csv', '.gz'], 'bucket', 'logs/day=2026-01-01/a.csv.gz')
    """

    size: int | None = None
    """In bytes, where it was listed."""
    modified_ns: int = 0
    """When it was last changed, in nanoseconds, where it was listed."""

    def __str__(self) -> str:
        return f"{self.parts[0]}//{'/'.join(self.parts[1:])}"

    @property
    def scheme(self) -> str:
        """``s3`` or ``gs``."""
        return self.parts[0].removesuffix(":")

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.parts[1]

    @property
    def key(self) -> str:
        """The name of the object in its bucket; empty for the bucket itself."""
        return "/".join(self.parts[2:])

    @property
    def place(self) -> str:
        """Bucket and key, as pyarrow takes them."""
        return "/".join(self.parts[1:])

    def resolve(self, strict: bool = False) -> Self:  # noqa: ARG002, FBT001, FBT002  # nothing in a bucket is a link
        """The path itself: a bucket knows no links."""
        return self

    def expanduser(self) -> Self:
        """The path itself: a bucket knows no users."""
        return self

    def exists(self, **_: Any) -> bool:
        """Whether there is such an object (or objects below it) now."""
        return bool(self._kind() != fs.FileType.NotFound)

    def is_file(self, **_: Any) -> bool:
        """Whether it is an object now."""
        return bool(self._kind() == fs.FileType.File)

    def is_dir(self, **_: Any) -> bool:
        """Whether there are objects below it now."""
        return bool(self._kind() == fs.FileType.Directory)

    def open(self, *_: Any, **__: Any) -> Any:
        """Its bytes from the beginning, to be read once; compressed ones stay so.

        Raises:
            FileNotFoundError: there is no such object (any more).
            RemoteError: it cannot be read.
        """
        with explained(self):
            # pyarrow would decompress by itself what is named .gz
            stream = filesystem(self).open_input_stream(self.place, compression=None)
        return io.BufferedReader(_Stream(self, stream), _BUFFER)

    def opened(self) -> pa.NativeFile:
        """The object for reads at any place, of any thread.

        Raises:
            FileNotFoundError: there is no such object (any more).
            RemoteError: it cannot be read.
        """
        with explained(self):
            return filesystem(self).open_input_file(self.place)

    def _kind(self) -> Any:
        with explained(self):
            return filesystem(self).get_file_info(self.place).type


class _Stream(io.RawIOBase):
    """Bytes of an object one after the other; what goes wrong on the way is explained."""

    def __init__(self, path: RemotePath, stream: pa.NativeFile) -> None:
        self._path = path
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with explained(self._path):
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


@dataclass(frozen=True)
class RemoteEntry:
    """An object as listed: its key below the listed folder, bytes, and the time of its last change in nanoseconds."""

    below: str
    size: int
    modified_ns: int


def is_remote(path: str | Path) -> bool:
    """Whether a path of the project file leads to a bucket.

    >>> is_remote("s3://bucket/logs"), is_remote("logs/s3"), is_remote("gs://bucket")
    (True, False, True)
    """
    return isinstance(path, RemotePath) or str(path).startswith(SCHEMES)


def remote_path(text: str) -> RemotePath:
    """Read ``s3://bucket/key``.

    Raises:
        RemoteError: there is no bucket, or something that looks like credentials; the text itself is not repeated then.
    """
    scheme, _, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if "@" in bucket or ":" in bucket or _SECRET_KEYS.search(text):
        raise RemoteError(
            f"{scheme}://…: holds more than a bucket and a key; credentials, endpoint and region come from the "
            "environment only (see docs/object-storage.md)"
        )
    if not bucket or any(sign in bucket for sign in "*[]\\ "):
        raise RemoteError(f'"{text}": names no bucket; write {scheme}://bucket/folder')
    if any(part in {"", ".", ".."} for part in key.rstrip("/").split("/")) and key:
        raise RemoteError(f'"{text}": a key with an empty folder name, "." or ".." cannot be read')
    return RemotePath(f"{scheme}://{rest}")


def listed(folder: RemotePath, *, deep: bool = True) -> list[RemoteEntry]:
    """The objects below a folder, page after page (1,000 a request); none where there is no such folder.

    Raises:
        RemoteError: the bucket cannot be listed.
    """
    start = len(folder.place) + 1
    with explained(folder):
        found = filesystem(folder).get_file_info(
            fs.FileSelector(folder.place, allow_not_found=True, recursive=deep)
        )
        if not found and filesystem(folder).get_file_info(folder.bucket).type == fs.FileType.NotFound:
            raise RemoteError(f'{folder}: there is no bucket "{folder.bucket}"')
    return [
        RemoteEntry(entry.path[start:], entry.size, entry.mtime_ns or 0)
        for entry in found
        if entry.type == fs.FileType.File
    ]


def folders(folder: RemotePath) -> list[str]:
    """Names of the folders directly in a folder; none where there is no such folder.

    Raises:
        RemoteError: the bucket cannot be listed.
    """
    if folder.scheme == "gs":  # pyarrow shows only folders that are objects there
        return sorted({entry.below.partition("/")[0] for entry in listed(folder) if "/" in entry.below})
    with explained(folder):
        found = filesystem(folder).get_file_info(fs.FileSelector(folder.place, allow_not_found=True))
    return [entry.base_name for entry in found if entry.type == fs.FileType.Directory]


def read_whole(path: RemotePath, *, may_change: bool = True) -> bytes:
    """All bytes of an object, and those of one writing only.

    Args:
        path: the object.
        may_change: whether somebody may write it anew while it is read.

    Raises:
        FileNotFoundError: there is no such object.
        RemoteError: it cannot be read.
    """
    for _ in range(_ATTEMPTS):
        with path.opened() as source, explained(path):
            data: bytes = source.read()
            before = source.metadata()
        if not may_change:
            return data
        # size and bytes are asked for one after the other: they must be those of one writing
        with path.opened() as again:
            if len(data) == again.size() and again.metadata() == before:
                return data
    raise RemoteError(f"{path}: is replaced again and again while it is read")


def one_object(path: RemotePath) -> RemoteEntry | None:
    """An object by its whole name; None where there is none.

    Raises:
        RemoteError: the bucket does not answer.
    """
    if not path.key:
        return None
    with explained(path):
        entry = filesystem(path).get_file_info(path.place)
    return RemoteEntry(path.name, entry.size, entry.mtime_ns or 0) if entry.type == fs.FileType.File else None


def write_whole(path: RemotePath, data: bytes) -> None:
    """Put an object: others see all of it or what was there before.

    Raises:
        RemoteError: it cannot be written, or the server did not keep what it was sent.
    """
    with (
        explained(path, "written"),
        filesystem(path).open_output_stream(path.place, compression=None) as stream,
    ):
        stream.write(data)
    storage = filesystem(path)
    if id(storage) not in _TRUSTED:
        _check_kept(path, data)
        _TRUSTED[id(storage)] = storage


def _check_kept(path: RemotePath, data: bytes) -> None:
    with path.opened() as kept, explained(path):
        tail = kept.read_at(_TRAILER, max(0, kept.size() - _TRAILER)) if kept.size() > len(data) else b""
    if b"x-amz-" in tail and not data.endswith(tail):
        remove(path)
        raise RemoteError(
            f"{path}: the server keeps checksums as if they were data; set "
            "AWS_REQUEST_CHECKSUM_CALCULATION=when_required before Assay starts"
        )


def remove(path: RemotePath) -> None:
    """Take an object away; one that is gone already is fine.

    Raises:
        RemoteError: it cannot be removed.
    """
    with explained(path, "removed"):
        try:
            filesystem(path).delete_file(path.place)
        except FileNotFoundError:
            return


def filesystem(path: RemotePath) -> fs.FileSystem:
    """What talks to a bucket, made once for each environment.

    Raises:
        RemoteError: this pyarrow was built without it, or the environment cannot be understood.
    """
    known = tuple((name, value) for name in _KNOWN if (value := os.environ.get(name)))
    # only where no server is named does it matter which bucket: its region is asked for
    named = any(name.startswith(("AWS_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION")) for name, _ in known)
    return _filesystem(path.scheme, path.bucket if path.scheme == "s3" and not named else "", known)


@lru_cache(maxsize=64)
def _filesystem(scheme: str, bucket: str, known: tuple[tuple[str, str], ...]) -> fs.FileSystem:
    environment = dict(known)
    try:
        return _s3(environment, bucket) if scheme == "s3" else _gcs(environment)
    except (ImportError, AttributeError) as error:
        raise RemoteError(
            f"{scheme}://: this build of pyarrow cannot read it; install pyarrow from PyPI"
        ) from error
    except (OSError, pa.ArrowException) as error:
        path = RemotePath(f"{scheme}://{bucket}")
        raise RemoteError(f"{path}: cannot be reached: {_advice(error, path)}") from error


def _s3(environment: Mapping[str, str], bucket: str) -> fs.FileSystem:
    options: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "request_timeout": _REQUEST_SECONDS,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        # a small object is one request, and there at once or not at all
        "allow_delayed_open": True,
    }
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if endpoint:
        address = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        options |= {"endpoint_override": address.netloc + address.path.rstrip("/"), "scheme": address.scheme}
        region = region or "us-east-1"
        # most servers that are not Amazon's know no trailing checksums, and some keep them as data
        os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    if region or bucket:
        options["region"] = region or fs.resolve_s3_region(bucket)
    if environment.get("AWS_NO_SIGN_REQUEST", "").lower() in {"1", "true", "yes"}:
        options["anonymous"] = True
    return fs.S3FileSystem(**options)


def _gcs(environment: Mapping[str, str]) -> fs.FileSystem:
    options: dict[str, Any] = {"retry_time_limit": timedelta(seconds=_REQUEST_SECONDS / 2)}
    emulator = environment.get("STORAGE_EMULATOR_HOST")
    if emulator:
        address = urlsplit(emulator if "://" in emulator else f"http://{emulator}")
        options |= {"endpoint_override": address.netloc, "scheme": address.scheme, "anonymous": True}
    return fs.GcsFileSystem(**options)


class Missed:
    """How often a listed log was not there any more: a listing that was kept is not to be used again then."""

    count = 0


def missed(path: RemotePath) -> FileVanishedError:
    """What to raise where a listed log is gone or another one now."""
    Missed.count += 1
    return FileVanishedError(f"{path}: the object is gone")


@contextmanager
def explained(path: RemotePath, what: str = "read") -> Iterator[None]:
    """Turn what pyarrow says into a line that tells what to do; an object that is not there stays FileNotFoundError.

    Raises:
        FileNotFoundError: there is no such object, or it changed while it was read.
        RemoteError: anything else that storage says.
        OSError: what the object holds is damaged.
    """
    try:
        yield
    except OSError as error:
        if not _FROM_STORAGE.search(str(error)) and not isinstance(error, FileNotFoundError):
            raise  # what the object holds, not what holds the object
        if not _NO_BUCKET.search(str(error)) and (
            isinstance(error, FileNotFoundError) or _GONE.search(str(error))
        ):
            raise FileNotFoundError(f"{path}: the object is gone") from error
        raise RemoteError(f"{path}: cannot be {what}: {_advice(error, path)}") from error


def _advice(error: BaseException, path: RemotePath) -> str:
    said = str(error)
    if _NO_BUCKET.search(said):
        return f'there is no bucket "{path.bucket}"'
    if _UNREACHED.search(said):
        return f"{_server(path.scheme)} cannot be reached ({_reason(error)})"
    if _DENIED.search(said):
        variables = "AWS_ACCESS_KEY_ID …" if path.scheme == "s3" else "GOOGLE_APPLICATION_CREDENTIALS"
        return (
            f"access denied; the credentials in the environment ({variables}) are missing or do not allow it"
        )
    if _ELSEWHERE.search(said):
        return "the bucket lies in another region; set AWS_REGION"
    return _reason(error)


def _server(scheme: str) -> str:
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") if scheme == "s3" else ("STORAGE_EMULATOR_HOST",)
    endpoint = next((found for name in names if (found := os.environ.get(name))), None)
    if endpoint is None:
        return "the storage"
    return urlsplit(endpoint if "://" in endpoint else f"//{endpoint}").netloc.rpartition("@")[2]


def _reason(error: BaseException) -> str:
    """What a library said, short and without anything secret."""
    said = " ".join(str(error).split())
    for name in _SECRETS:
        if value := os.environ.get(name):
            said = said.replace(value, "…")
    found = re.search(r"AWS Error .*", said)
    return (found.group(0) if found else said)[:200]
