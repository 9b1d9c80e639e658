"""The partner account: opened as configured, and what a request does to it.

A mock code does nothing to it. Every other request that moves value, or tries to, leaves a row in
the activity report.
"""

from agcod_async.testing.activity import NO_SUBJECT, Activity, ActivityReport
from agcod_async.testing.answers import Executed, Failure, Success
from agcod_async.testing.cards import Moment
from agcod_async.testing.catalogue import MOCK_SUCCESS
from agcod_async.testing.checks import RefusedError
from agcod_async.testing.config import EmulatorConfig
from agcod_async.testing.customers import LoadRules
from agcod_async.testing.ledger import Ledger
from agcod_async.testing.physical_cards import PhysicalCardRules
from agcod_async.testing.requests import Account, OperationRequest


def opened(config: EmulatorConfig) -> Account:
    """Return a fresh account."""
    ledger = Ledger(
        config.funds,
        semantics=config.semantics,
        seed=config.seed,
        cancel_window_seconds=config.cancel_window_seconds,
        amount_max=config.amount_max,
        history_max=config.history_max,
        physical_card_rules=PhysicalCardRules(
            cards=config.physical_cards,
            others_exist=config.other_physical_cards,
            amount_max=config.amount_max,
        ),
        load_rules=LoadRules(
            accounts=config.accounts,
            others_exist=config.other_accounts,
            types=config.account_types,
            amount_max=config.load_amount_max,
            amount_min=config.load_amount_min,
            void_window_seconds=config.void_window_seconds,
        ),
    )
    return Account(config, ledger, ActivityReport(config.history_max))


def carried_out(
    operation: str, request: OperationRequest, account: Account, moment: Moment
) -> Executed:
    """Carry a request out, and return what it answers."""
    changes = account.ledger.changes
    try:
        _check_enabled(operation, request, account)
        mocked = _mocked(request) if account.config.mock_codes else None
        if mocked is not None:
            return mocked
        executed = request.execute(account, moment)
    except RefusedError as error:
        failure = Failure(error.refusal, request.request_id)
        _report(request, failure, account, moment, is_real=True)
        return failure
    _report(request, executed, account, moment, is_real=account.ledger.changes != changes)
    return executed


def _check_enabled(operation: str, request: OperationRequest, account: Account) -> None:
    """Pass what this partner may call; who another one is, the operation itself finds out."""
    config = account.config
    if operation in config.disabled_operations and request.partner_id == config.partner_id:
        raise RefusedError(request.refusals[request.disabled_code])


def _mocked(request: OperationRequest) -> Executed | None:
    code = request.mock_code
    if code == MOCK_SUCCESS:
        return request.mock_success()
    refusal = None if code is None else request.refusals.get(code)
    # Recorded answers to mock codes do not repeat the ID.
    return None if refusal is None else Failure(refusal)


def _report(
    request: OperationRequest,
    executed: Success | Failure,
    account: Account,
    moment: Moment,
    *,
    is_real: bool,
) -> None:
    """Enter a row, unless the request moves no value or its ID is none of this partner's."""
    request_id = request.request_id or ""
    if request.activity is None or not request_id.startswith(account.config.partner_id):
        return
    row = Activity(
        wall=moment.wall,
        type=request.activity,
        request_id=request_id,
        subject=executed.subject if isinstance(executed, Success) else NO_SUBJECT,
        refusal=executed.refusal if isinstance(executed, Failure) else None,
        is_real=is_real,
    )
    account.report.add(row)
