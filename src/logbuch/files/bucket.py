"""Artifacts in a bucket of S3 or a compatible store, where a file is visible only when it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from logbuch.errors import InvalidInput, NotFound, StoreRefused, Unavailable
from logbuch.files import keys
from logbuch.files.s3 import Access
from logbuch.files.storage import Found, Stat
from logbuch.limits import clip
from logbuch.model import FileInfo

PART_BYTES = 8 * 1024 * 1024
MOST_PARTS = 10_000
PARTS_AT_ONCE, PARTS_OF_ONE = 4, 2
"""Parts that are sent at the same time: of all uploads, and of one. Each is held in memory until it has arrived."""
SIGNED_SECONDS = 3600
_DELETED_AT_ONCE = 1000


class BucketFiles:
    """The files of a bucket below a prefix; see :class:`logbuch.files.storage.Storage`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.where = f"s3://{access.bucket}/{access.prefix}".rstrip("/")
        self.bucket = access.bucket
        self.client = access.client
        self._store = access.store
        self.threads = ThreadPoolExecutor(PARTS_AT_ONCE, "logbuch-parts")
        with _refusing(self.where):
            self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.full("") + "x", MaxKeys=1)

    @property
    def signs(self) -> bool:
        """Whether clients can be given addresses of the bucket itself."""
        return self._access.public is not None

    def full(self, key: str) -> str:
        """A key as the bucket knows it."""
        return f"{self._access.prefix}/{key}" if self._access.prefix else key

    def location(self, wanted: str) -> str | None:
        if wanted.rstrip("/") == self.where:
            return ""
        if not wanted.startswith(self.where + "/") or "?" in wanted or "#" in wanted:
            return None
        return keys.join(wanted.removeprefix(self.where + "/"))

    def sink(self, key: str) -> BucketSink:
        return BucketSink(self, key)

    def open(self, key: str) -> BucketFile:
        return BucketFile(self._store, key, self.stat(key))

    def stat(self, key: str) -> Stat:
        import obstore

        with _refusing(key):
            return _stat(obstore.head(self._store, key))

    def list(self, key: str, shown: str = "") -> list[FileInfo]:
        import obstore

        with _refusing(key):
            found = obstore.list_with_delimiter(self._store, f"{key}/")
        folders = {path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"]}
        files = {meta["path"].rpartition("/")[2]: meta["size"] for meta in found["objects"]}
        names = {name for name in {*folders, *files} if name and not name.startswith(keys.TEMPORARY)}
        return [
            FileInfo(
                path=f"{shown}/{name}" if shown else name,
                is_dir=name in folders and name not in files,
                file_size=files.get(name),
            )
            for name in sorted(names)
        ]

    def delete(self, key: str) -> None:
        import obstore

        with _refusing(key):
            paths = [found.key for found in self._objects(key)]
            with suppress(NotFound):
                self.stat(key)
                paths.append(key)
            if not paths:
                raise NotFound(f"No such artifact: {clip(key)!r}")
            for start in range(0, len(paths), _DELETED_AT_ONCE):
                obstore.delete(self._store, paths[start : start + _DELETED_AT_ONCE])

    def walk(self, key: str = "") -> Iterator[Found]:
        yield from (found for found in self._objects(key) if not _own(found))
        with _refusing(key):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=self.full(f"{key}/" if key else "")
            )
            for page in pages:
                for upload in page.get("Uploads", ()):
                    inside = upload["Key"].removeprefix(self.full("")).lstrip("/")
                    began = upload["Initiated"].timestamp()
                    yield _Multipart(inside, 0, began, pending=True, upload=upload["UploadId"])

    def discard(self, found: Found) -> None:
        assert isinstance(found, _Multipart)
        with _refusing(found.key), suppress(self.client.exceptions.NoSuchUpload):
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.full(found.key), UploadId=found.upload)

    # -- multipart uploads whose parts others send -------------------------------------------------------------------

    def begin(self, key: str) -> str:
        """Begins a multipart upload and returns the store's ID of it."""
        with _refusing(key):
            answer = self.client.create_multipart_upload(Bucket=self.bucket, Key=self.full(key))
        return str(answer["UploadId"])

    def put_part(self, key: str, upload: str, number: int, content: bytes | bytearray) -> str:
        """Sends a part (numbers begin at 1), and returns its mark."""
        with _refusing(key):
            answer = self.client.upload_part(
                Bucket=self.bucket, Key=self.full(key), UploadId=upload, PartNumber=number, Body=content
            )
        return str(answer["ETag"]).strip('"')

    def parts(self, key: str, upload: str) -> dict[int, tuple[str, int]]:
        """The marks and sizes of the parts that have arrived, by number; NotFound for an upload that is over."""
        found: dict[int, tuple[str, int]] = {}
        with _refusing(key):
            pages = self.client.get_paginator("list_parts").paginate(
                Bucket=self.bucket, Key=self.full(key), UploadId=upload
            )
            for page in pages:
                for part in page.get("Parts", ()):
                    found[part["PartNumber"]] = (part["ETag"].strip('"'), part["Size"])
        return found

    def complete(self, key: str, upload: str, marks: Mapping[int, str]) -> Stat:
        """Makes one file of the parts; InvalidInput where one is not there or has another mark."""
        parts = [{"PartNumber": number, "ETag": f'"{mark}"'} for number, mark in sorted(marks.items())]
        with _refusing(key):
            self.client.complete_multipart_upload(
                Bucket=self.bucket, Key=self.full(key), UploadId=upload, MultipartUpload={"Parts": parts}
            )
        return self.stat(key)

    def abort(self, key: str, upload: str) -> None:
        """Ends an upload without a file; nothing if it is over."""
        self.discard(_Multipart(key, 0, 0.0, pending=True, upload=upload))

    def sign_part(self, key: str, upload: str, number: int) -> str:
        """An address that takes a part by PUT for an hour, from whoever knows it."""
        parameters = {"Bucket": self.bucket, "Key": self.full(key), "UploadId": upload, "PartNumber": number}
        return self._signed("upload_part", parameters, SIGNED_SECONDS)

    def sign_put(self, key: str, seconds: int = SIGNED_SECONDS) -> str:
        """An address that takes a whole file by PUT."""
        return self._signed("put_object", {"Bucket": self.bucket, "Key": self.full(key)}, seconds)

    def sign_get(self, key: str, seconds: int = SIGNED_SECONDS) -> str:
        """An address that gives a file by GET."""
        return self._signed("get_object", {"Bucket": self.bucket, "Key": self.full(key)}, seconds)

    def _signed(self, operation: str, parameters: Mapping[str, Any], seconds: int) -> str:
        signer = self._access.signer
        return str(signer.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds))

    def _objects(self, key: str) -> Iterator[Found]:
        import obstore

        with _refusing(key):
            for batch in obstore.list(self._store, f"{key}/" if key else None, chunk_size=1000):
                for meta in batch:
                    yield Found(meta["path"], meta["size"], meta["last_modified"].timestamp())


def _own(found: Found) -> bool:
    """Whether it is no artifact but Logbuch's own: what says whose the root is."""
    return found.key.rpartition("/")[2].startswith(keys.TEMPORARY)


class _Multipart(Found):
    """An unfinished upload of the store's."""

    __slots__ = ("upload",)

    def __init__(self, key: str, size: int, modified: float, *, pending: bool, upload: str) -> None:
        super().__init__(key, size, modified, pending)
        object.__setattr__(self, "upload", upload)

    upload: str


class BucketSink:
    """See :class:`logbuch.files.storage.Sink`: one request for a small file, parts of growing size for others."""

    def __init__(self, files: BucketFiles, key: str) -> None:
        self._files, self._key = files, key
        self._buffer = bytearray()
        self._upload: str | None = None
        self._sent = 0
        self._marks: dict[int, str] = {}
        self._flying: list[tuple[int, Future[str]]] = []

    def write(self, blocks: Sequence[bytes]) -> None:
        for block in blocks:
            self._buffer += block
        while len(self._buffer) > part_bytes(self._sent):
            self._send(part_bytes(self._sent))

    def finish(self) -> Stat:
        if self._upload is None:
            with _refusing(self._key):
                files = self._files
                files.client.put_object(Bucket=files.bucket, Key=files.full(self._key), Body=bytes(self._buffer))
            return self._files.stat(self._key)
        if self._buffer:
            self._send(len(self._buffer))
        self._land(0)
        return self._files.complete(self._key, self._upload, self._marks)

    def abort(self) -> None:
        for _, flying in self._flying:
            with suppress(Exception):  # whatever it is, the part is not wanted any more
                flying.result()
        if self._upload is not None:
            with suppress(Unavailable):  # gc looks for it later
                self._files.abort(self._key, self._upload)

    def _send(self, size: int) -> None:
        if self._upload is None:
            self._upload = self._files.begin(self._key)
        self._land(PARTS_OF_ONE - 1)
        part = self._buffer[:size]
        del self._buffer[:size]
        self._sent += 1
        flying = self._files.threads.submit(self._files.put_part, self._key, self._upload, self._sent, part)
        self._flying.append((self._sent, flying))

    def _land(self, left: int) -> None:
        """Waits until at most so many parts are under way."""
        while len(self._flying) > left:
            number, flying = self._flying.pop(0)
            self._marks[number] = flying.result()


def part_bytes(sent: int) -> int:
    """The size of the part behind so many others: it grows, so that 10,000 parts hold the largest file there may be."""
    return PART_BYTES * (1 << sent // 1000)


class BucketFile:
    """See :class:`logbuch.files.storage.Opened`. Each window is one request, retried as a whole."""

    window = 4 * 1024 * 1024

    def __init__(self, store: Any, key: str, stat: Stat) -> None:
        self._store, self._key = store, key
        self.stat = stat

    def read(self, start: int, size: int) -> bytes:
        import obstore

        with _refusing(self._key):
            options: Any = {"range": (start, start + size), "if_match": f'"{self.stat.mark}"'}
            content = bytes(obstore.get(self._store, self._key, options=options).bytes())
        if len(content) != size:
            raise Unavailable(f"The artifact {clip(self._key)!r} was cut while it was read.")
        return content

    def close(self) -> None:
        """Nothing is held."""


def _stat(meta: Any) -> Stat:
    return Stat(meta["size"], meta["last_modified"].timestamp(), str(meta["e_tag"] or "").strip('"'))


@contextmanager
def _refusing(key: str) -> Iterator[None]:
    """The store's refusals as errors of ours. What may pass was retried already."""
    from botocore.exceptions import BotoCoreError, ClientError
    from obstore.exceptions import BaseError, NotFoundError, PreconditionError

    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound(f"No such artifact: {clip(key)!r}") from None
    except PreconditionError:
        raise Unavailable(f"The artifact {clip(key)!r} was replaced while it was read; read it again.") from None
    except ClientError as error:
        raise _answered(key, error.response) from error
    except (BotoCoreError, BaseError) as error:
        raise Unavailable(f"The object store did not take the request: {_short(error)}") from error


def _answered(key: str, response: Mapping[str, Any]) -> Exception:
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    if code == "NoSuchBucket":
        return StoreRefused(f"There is no bucket at {key}.")
    if code in ("NoSuchUpload", "NoSuchKey") or status == 404:
        return NotFound(f"No such artifact or upload: {clip(key)!r}")
    if code in ("InvalidPart", "InvalidPartOrder", "EntityTooSmall"):
        return InvalidInput(f"The parts of {clip(key)!r} are not what was sent: {code}.")
    return Unavailable(f"The object store refused the request: {code or status}.")


def _short(error: Exception) -> str:
    return clip(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__, 200)
