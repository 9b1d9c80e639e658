"""Balance loads: credit a customer's account, take that back, ask beforehand if it would do."""

from dataclasses import replace

from agcod_async.agcod.facade import Facade, checked
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.balance_messages import (
    AccountValidation,
    BalanceLoad,
    BalanceVoid,
)
from agcod_async.providers.agcod.balance_operations import (
    LOAD_AMAZON_BALANCE,
    VALIDATE_ACCOUNT,
    VOID_AMAZON_BALANCE_LOAD,
)
from agcod_async.providers.agcod.balance_requests import (
    load_amazon_balance_request,
    validate_account_request,
    void_amazon_balance_load_request,
)
from agcod_async.providers.agcod.marketplaces import Product
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.recipients import Account
from agcod_async.values import Money


class BalanceCalls(Facade):
    """The part of the session that loads customers' accounts.

    Account and notification are not kept on record, so a load that a crash left open is finished
    by calling again with the same arguments; `reconcile()` only names it.
    """

    async def load_amazon_balance(
        self,
        *,
        request_id: str,
        account: Account,
        amount: Money,
        notification_message: str | None = None,
        external_reference: str | None = None,
        transaction_source: TransactionSource | None = None,
        timestamp: int | None = None,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> BalanceLoad:
        """Credit a customer's account with `amount`.

        Keep the ID and the arguments before you call: the same ones bring the same answer again.
        `timestamp` is the time of the customer's order, in milliseconds since 1970; it is part of
        the order, so it has no default. Nothing can be looked up here: after an F400 the load is
        taken back and nothing is certain before the last request can no longer be late, so an
        interactive call usually ends in `InDoubtError` with `not_before`.
        """
        request = checked(
            load_amazon_balance_request,
            request_id=request_id,
            account=account,
            amount=amount,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self._mock_ids_allowed,
            notification_message=notification_message,
            external_reference=external_reference,
            transaction_source=transaction_source,
            timestamp=timestamp,
        )
        del notification_message  # a traceback may be shown with its variables
        self._look_at(amount, Product.BALANCE)
        done = await self.call(
            LOAD_AMAZON_BALANCE,
            request,
            lane=lane,
            deadline_seconds=deadline_seconds,
            policy=policy,
        )
        return replace(done.answer, attempts=done.attempts, replayed=done.replayed)

    async def void_amazon_balance_load(
        self,
        *,
        request_id: str,
        account: Account,
        amount: Money,
        void_if_used: bool = False,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> BalanceVoid:
        """Take back the load under `request_id`; account and amount must be those of the load.

        Amazon refuses it once the customer has spent the balance, unless `void_if_used`, and after
        a time that it does not name. Never load under this ID again: Amazon may answer as it did
        the first time, with nothing loaded.
        """
        request = checked(
            void_amazon_balance_load_request,
            request_id=request_id,
            account=account,
            amount=amount,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self._mock_ids_allowed,
            void_if_used=void_if_used,
        )
        done = await self.call(
            VOID_AMAZON_BALANCE_LOAD,
            request,
            lane=lane,
            deadline_seconds=deadline_seconds,
            policy=policy,
        )
        return done.answer

    async def validate_account_for_amazon_balance_load(
        self,
        *,
        request_id: str,
        account: Account,
        amount: Money,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
    ) -> AccountValidation:
        """Return if such a load would not be refused for its account or its amount.

        Raises `InvalidRequestError` or `AccountError` with Amazon's reason if it would. Nothing is
        loaded, and whether the funds suffice is not asked.
        """
        request = checked(
            validate_account_request,
            request_id=request_id,
            account=account,
            amount=amount,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self._mock_ids_allowed,
        )
        done = await self.call(
            VALIDATE_ACCOUNT, request, lane=lane, deadline_seconds=deadline_seconds
        )
        return done.answer
