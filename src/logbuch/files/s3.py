"""Ways to an S3-compatible store: one chain of credentials for reading (obstore), parts of uploads and signed addresses
(botocore, whose environment variables and profiles are AWS's own)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from logbuch import settings
from logbuch.errors import StoreRefused

ATTEMPTS = 8
RETRY_SECONDS = 120
CONNECT_SECONDS, ANSWER_SECONDS = 5, 60
LEASE_MINUTES = 10
"""How long a credential is used before botocore is asked again, which renews those that expire."""


@dataclass(frozen=True)
class Access:
    """How a bucket is reached. ``endpoint`` is the server's own way, ``public`` the one that clients can go."""

    bucket: str
    prefix: str
    endpoint: str | None = None
    public: str | None = None

    @classmethod
    def of(cls, bucket: str, prefix: str) -> Access:
        """As the environment says."""
        return cls(bucket, prefix, settings.S3_ENDPOINT.get() or None, settings.S3_PUBLIC_ENDPOINT.get() or None)

    @cached_property
    def session(self) -> Any:
        try:
            from botocore.session import get_session
        except ImportError:
            raise StoreRefused("Artifacts in S3 need two libraries: pip install 'logbuch[s3]'.") from None
        return get_session()

    @cached_property
    def client(self) -> Any:
        """botocore's client at the server's endpoint."""
        return self._client(self.endpoint)

    @cached_property
    def signer(self) -> Any:
        """botocore's client that signs addresses for clients."""
        return self._client(self.public)

    @cached_property
    def store(self) -> Any:
        """obstore's store of the bucket, below the prefix."""
        try:
            from obstore.store import S3Store
        except ImportError:
            raise StoreRefused("Artifacts in S3 need two libraries: pip install 'logbuch[s3]'.") from None
        place: dict[str, Any] = {"prefix": self.prefix} if self.prefix else {}
        if self.endpoint:
            place["endpoint"] = str(self.client.meta.endpoint_url)
        return S3Store(
            self.bucket,
            **place,
            region=self._region,
            virtual_hosted_style_request=not self.endpoint,
            credential_provider=self._credentials,
            client_options={
                "allow_http": True,
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=ANSWER_SECONDS),
            },
            retry_config={"max_retries": ATTEMPTS, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
        )

    @property
    def _region(self) -> str:
        return str(self.session.get_config_variable("region") or "us-east-1")

    def _client(self, endpoint: str | None) -> Any:
        from botocore.config import Config

        config = Config(
            region_name=self._region,
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint else "auto"},
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            # Other stores than AWS's refuse the trailing checksums that newer clients send unasked.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return self.session.create_client("s3", endpoint_url=endpoint, config=config)

    def _credentials(self) -> Any:
        found = self.session.get_credentials()
        if found is None:
            raise StoreRefused("There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + timedelta(minutes=LEASE_MINUTES),
        }
