"""What a session makes from its settings for itself: how it signs, and its own pacer."""

from collections.abc import Sequence

from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.engine.keyring import Keyring, Sign
from agcod_async.events import Observer
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.providers.base import Provider
from agcod_async.settings import Settings
from agcod_async.values import Credentials
from agcod_async.wire.sigv4 import Signer


def keyring(
    provider: Provider, settings: Settings, clock: Clock, observers: Sequence[Observer]
) -> Keyring:
    """Return the keyring of the settings' credentials, which signs for this provider."""

    def signer(key: Credentials) -> Sign:
        return Signer(
            key,
            region=settings.signing_region,
            service=provider.signing_service,
            url=settings.url,
            target_prefix=provider.target_prefix,
            content_type=provider.content_type,
        ).sign

    return Keyring(settings.credentials, signer, clock=clock, observers=observers)


def local_pacer(
    provider: Provider, settings: Settings, policy: RecoveryPolicy, clock: Clock
) -> LocalPacer:
    """Return a pacer for the account's rate and the provider's limits of single operations."""
    return LocalPacer(
        requests_per_second=settings.requests_per_second,
        sub_limits=provider.sub_limits,
        policy=policy,
        clock=clock,
    )
