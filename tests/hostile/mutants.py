"""Bugs to be planted into the decoder and the classifier, each of which the hunt must notice."""

from typing import Final

from tests.simulation.planting import Mutant

_CODEC: Final = "providers.agcod.codec"
_ENVELOPE: Final = "providers.agcod.envelope"
_FAULTS: Final = "providers.agcod.faults"
_JUDGEMENT: Final = "providers.agcod.judgement"
_CREATE: Final = "providers.agcod.recovery"
_BALANCE: Final = "providers.agcod.balance_recovery"
_CARDS: Final = "providers.agcod.activation_recovery"
_XML: Final = "providers.agcod.xml_form"

MUTANTS: Final = (
    Mutant(
        "whose", "a card under another request ID is believed", _CREATE,
        "    if answer.creation_request_id != request.creation_request_id:\n",
        "    if answer.creation_request_id is None:\n",
    ),
    Mutant(
        "whose", "a card of another amount is believed", _CREATE,
        "if not echoes(card.value, request.value):", "if card.value is None:",
    ),
    Mutant(
        "whose", "another currency is believed", _JUDGEMENT,
        "        and answered.currency_code == asked.currency_code\n", "",
    ),
    Mutant(
        "whose", "the card's number is not compared", _CARDS,
        "card.card_number not in (None, request.card_number)\n\n\ndef _answers_another_check",
        "False\n\n\ndef _answers_another_check",
    ),
    Mutant(
        "whose", "another account is believed", _BALANCE,
        "return is_type and answered.id in (None, asked.id)", "return is_type",
    ),
    Mutant(
        "whose", "an error that names another request is believed", _ENVELOPE,
        'return any(one not in (None, "", request_id) for one in told.ids)', "return False",
    ),
    Mutant(
        "whose", "the answer to another operation is believed", _ENVELOPE,
        "asked.operation not in operations:", "not operations:",
    ),
    Mutant(
        "alive", "a card in any state is live", _CREATE,
        "    if card.card_status != LIVE_STATUS:\n", "    if not card.card_status:\n",
    ),
    Mutant(
        "once", "the last of two members wins", _CODEC,
        "len(said) != len(members) or said.get", "said.get",
    ),
    Mutant(
        "once", "the fast decoder is believed whatever it has dropped", _CODEC,
        ' == reply.body.count(b":")', " is not None",
    ),
    Mutant(
        "once", "the fast decoder takes a misspelt member for another one", _CODEC,
        "return None if envelope.is_misspelt(members) else _encoder", "return _encoder",
    ),
    Mutant(
        "once", "the last of two elements wins", _XML,
        "if len(members) != len(self.inside):", "if len(members) > len(self.inside):",
    ),
    Mutant(
        "once", "a member in another case is not looked at", _ENVELOPE,
        "return not _DECIDING_IN_ANY_CASE.isdisjoint(map(str.casefold, others))",
        "return others is None",
    ),
    Mutant(
        "once", "bytes that are not UTF-8 are repaired", _CODEC,
        'reply.body.decode("utf-8")', 'reply.body.decode("utf-8", "replace")',
    ),
    Mutant(
        "http", "a SUCCESS with any HTTP status is believed", _ENVELOPE,
        "    if http_status not in _HTTP_OK:\n", "    if http_status < 0:\n",
    ),
    Mutant(
        "http", "a refusal with a 5xx is believed", _ENVELOPE,
        "range(400, 500)", "range(400, 600)",
    ),
    Mutant(
        "error", "F500 is a refusal", _FAULTS,
        'frozenset({"F200", "F300"})', 'frozenset({"F200", "F300", "F500"})',
    ),
    Mutant(
        "error", "a refusal that says SUCCESS is believed", _ENVELOPE,
        "if len(stated) > 1 or SUCCESS in stated or any(one.shows_a_code for one in told):",
        "if any(one.shows_a_code for one in told):",
    ),
    Mutant(
        "error", "a refusal that shows a claim code is believed", _ENVELOPE,
        " or any(one.shows_a_code for one in told):", ":",
    ),
    Mutant(
        "error", "a SUCCESS beside an error is believed", _ENVELOPE,
        "        and envelope.error_code is None\n", "",
    ),
    Mutant(
        "error", "a status in any other word is a failure", _FAULTS,
        "if fault.code in _CONCLUSIVE and fault.status in (None, FAILURE):",
        "if fault.code in _CONCLUSIVE and fault.status != RESEND:",
    ),
    Mutant(
        "error", "a name that settles nothing is a refusal", _FAULTS,
        "    **dict.fromkeys(_UNSETTLED, Unclear),\n", "",
    ),
    Mutant(
        "error", "a long page with a phrase of the front door is a refusal", _CODEC,
        "_FRAMEWORK_ERROR_SIZE_MAX: Final = 8_192", "_FRAMEWORK_ERROR_SIZE_MAX: Final = 9_999_999",
    ),
    Mutant(
        "raises", "a deep reply raises", _CODEC,
        "    except (ValueError, RecursionError):\n", "    except ValueError:\n",
    ),
    Mutant(
        "hidden", "a claim code in the gcId's place is shown", _JUDGEMENT,
        "return _CLAIM_CODE.search(text) is not None", "return not _CLAIM_CODE",
    ),
)  # fmt: skip
