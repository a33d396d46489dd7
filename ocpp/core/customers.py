"""What the station knows about a customer, and forgetting it (N09, N10)."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from ocpp.core.identity import EMAID, IdToken
from ocpp.core.transaction import Transaction
from ocpp.storage.state import StateRepository
from ocpp.storage.tokens import TokenRepository
from ocpp.storage.transactions import TransactionRepository

if TYPE_CHECKING:
    from ocpp.security.certificates import HashData

CONTRACTS_KEY = "contracts_seen"
MAX_CONTRACTS = 200
"""Contract certificates whose customer is remembered."""


class Customers:
    """Customers by id token, or by the certificate of their contract."""

    def __init__(
        self,
        tokens: TokenRepository,
        transactions: TransactionRepository,
        state: StateRepository,
        now: Callable[[], float],
    ) -> None:
        self._tokens = tokens
        self._transactions = transactions
        self._state = state
        self._now = now

    # -- contracts ------------------------------------------------------------------------------------------------

    def note_contract(self, data: "HashData", emaid: str) -> None:
        """A customer has shown that contract certificate."""
        seen = self._state.get(CONTRACTS_KEY, {})
        name = _name(data)
        if seen.get(name) != emaid:
            seen.pop(name, None)
            seen[name] = emaid
            self._state.put(CONTRACTS_KEY, dict(list(seen.items())[-MAX_CONTRACTS:]), durable=False)

    def by_certificate(self, data: "HashData") -> IdToken | None:
        """The customer who has shown that certificate."""
        found = self._state.get(CONTRACTS_KEY, {}).get(_name(data))
        return IdToken(str(found), EMAID) if found is not None else None

    # -- reporting and forgetting ---------------------------------------------------------------------------------

    def report(self, token: IdToken) -> Iterator[str]:
        """What is known about a token, a line each."""
        cached = self._tokens.cache_entry(token.key, now_unix=self._now())
        if cached is not None:
            yield f"authorization cache: {token.value} {cached.decode()}"
        listed = self._tokens.list_entry(token.key)
        if listed is not None:
            yield f"local authorization list: {token.value} {listed.decode()}"
        for transaction in self._of(token):
            state = "ongoing" if transaction.active else "ended"
            started = f"{transaction.started_at:%Y-%m-%dT%H:%M:%SZ}"
            yield f"transaction {transaction.id}: {state}, since {started}, {transaction.energy_wh} Wh"
        for name, emaid in self._state.get(CONTRACTS_KEY, {}).items():
            if token.matches(IdToken(emaid, EMAID)):
                yield f"contract certificate: {name}"

    def forget(self, token: IdToken) -> None:
        """Forget everything but the local list, whose versions are the CSMS's, and what goes on (N10.FR.03, .06)."""
        self._tokens.remove_cache_entry(token.key)
        for transaction in self._of(token):
            self._transactions.remove_ended(transaction.id)
        seen = self._state.get(CONTRACTS_KEY, {})
        kept = {name: emaid for name, emaid in seen.items() if not token.matches(IdToken(emaid, EMAID))}
        if kept != seen:
            self._state.put(CONTRACTS_KEY, kept)

    def _of(self, token: IdToken) -> list[Transaction]:
        found = (msgspec.json.decode(record.data, type=Transaction) for record in self._transactions.all())
        return [each for each in found if token.matches(each.token) or token.matches(each.stop_token)]


def _name(data: "HashData") -> str:
    return f"{data.issuer_name_hash}:{data.issuer_key_hash}:{data.serial_number}".casefold()
