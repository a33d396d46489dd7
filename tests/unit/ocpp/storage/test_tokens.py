import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ocpp.clock import ManualClock
from ocpp.core.authorization import Authorizer
from ocpp.core.identity import AuthorizationInfo, AuthorizationStatus, IdToken
from ocpp.device_model import DeviceModel
from ocpp.device_model.standard import build
from ocpp.storage.database import Database
from ocpp.storage.tokens import MAX_CACHE_ENTRIES, TokenRepository

NOW = 1_700_000_000.0


@pytest.fixture
def tokens(database):
    return TokenRepository(database)


def key(value: str) -> tuple[str, str]:
    return value, "ISO14443"


def cache(tokens: TokenRepository, value: str, *, now: float = NOW, expires: float | None = None) -> None:
    tokens.put_cache_entry(key(value), value.encode(), now_unix=now, expires_unix=expires)


# -- cache ------------------------------------------------------------------------------------------------------------


def test_a_token_that_was_never_seen_is_not_in_the_cache(tokens):
    assert tokens.cache_entry(key("04A2"), now_unix=NOW) is None


@pytest.mark.req("C10.FR.01", "C10.FR.04")
def test_the_latest_that_is_known_of_a_token_counts(tokens):
    tokens.put_cache_entry(key("04A2"), b"Accepted", now_unix=NOW, expires_unix=None)
    tokens.put_cache_entry(key("04A2"), b"Blocked", now_unix=NOW, expires_unix=None)
    assert tokens.cache_entry(key("04A2"), now_unix=NOW) == b"Blocked"
    assert tokens.cache_size() == 1


@pytest.mark.req("C10.FR.02")
def test_the_cache_survives_a_restart(path):
    database = Database.open(path)
    cache(TokenRepository(database), "04A2")
    database.close()
    database = Database.open(path)
    assert TokenRepository(database).cache_entry(key("04A2"), now_unix=NOW) == b"04A2"
    database.close()


@pytest.mark.parametrize(("put", "asked"), [("04a2Ff", "04A2FF"), ("04A2FF", "04a2ff"), ("straße", "STRASSE")])
def test_tokens_are_the_same_in_any_case(tokens, put, asked):
    cache(tokens, put)
    tokens.replace_list(1, {key(put): b"list"})
    assert tokens.cache_entry(key(asked), now_unix=NOW) == put.encode()
    assert tokens.list_entry(key(asked)) == b"list"


@pytest.mark.req("C01.FR.25")
def test_tokens_of_another_type_are_other_tokens(tokens):
    cache(tokens, "04A2")
    tokens.replace_list(1, {key("04A2"): b"card", ("04A2", "KeyCode"): b"code"})
    assert tokens.cache_entry(("04A2", "KeyCode"), now_unix=NOW) is None
    assert tokens.list_entry(("04a2", "keycode")) == b"code"
    assert tokens.list_size() == 2


def test_a_token_of_no_known_type_is_any(tokens):
    cache(tokens, "04A2")
    assert tokens.cache_entry(("04A2", ""), now_unix=NOW) == b"04A2"
    tokens.put_cache_entry(("04A2", ""), b"new", now_unix=NOW, expires_unix=None)
    assert tokens.cache_entry(key("04A2"), now_unix=NOW) == b"new"
    assert tokens.cache_size() == 1


@pytest.mark.req("C10.FR.12")
def test_the_cache_names_nobody(database, tokens):
    cache(tokens, "04A2B3C4D5E6F7")
    tokens.put_cache_entry(key("04A2B3C4D5E6F7"), b"{}", now_unix=NOW, expires_unix=None)
    rows = database.query("SELECT * FROM token_cache")
    assert rows
    assert not any("04a2b3c4d5e6f7" in str(row).lower() for row in rows)


@pytest.mark.req("C10.FR.10")
def test_an_entry_past_its_life_time_is_removed(tokens):
    cache(tokens, "04A2", expires=NOW + 60)
    assert tokens.cache_entry(key("04A2"), now_unix=NOW + 59) == b"04A2"
    assert tokens.cache_entry(key("04A2"), now_unix=NOW + 60) is None
    cache(tokens, "04A3", now=NOW + 60)
    assert tokens.cache_size() == 1


@pytest.mark.req("C10.FR.08")
def test_the_life_time_counts_from_the_last_use(tokens):
    cache(tokens, "04A2", expires=NOW + 60)
    tokens.use_cache_entry(key("04a2"), now_unix=NOW + 59, expires_unix=NOW + 119)
    assert tokens.cache_entry(key("04A2"), now_unix=NOW + 118) == b"04A2"
    tokens.use_cache_entry(key("04A2"), now_unix=NOW + 118)
    assert tokens.cache_entry(key("04A2"), now_unix=NOW + 119) is None


LIFE = 60


@pytest.fixture
def authorizer(database):
    model = DeviceModel()
    build(model)
    model.integer("AuthCacheCtrlr/LifeTime").set(LIFE)
    return Authorizer(model, TokenRepository(database), ManualClock())


ACCEPTED = AuthorizationInfo(status=AuthorizationStatus.ACCEPTED)


@pytest.mark.req("C10.FR.08")
async def test_a_token_that_is_used_again_and_again_stays_in_the_cache(authorizer):
    token = IdToken("04A2")
    authorizer.remember(token, ACCEPTED)
    for _ in range(5):
        await authorizer._clock.advance(LIFE - 1)
        assert (await authorizer.authorize(token)).accepted
    await authorizer._clock.advance(LIFE)
    assert (await authorizer.authorize(token)).status is AuthorizationStatus.UNKNOWN


@pytest.mark.req("C10.FR.08")
async def test_the_end_that_the_csms_named_is_not_moved_by_a_use(authorizer):
    clock = authorizer._clock
    end = clock.now() + timedelta(seconds=LIFE)
    authorizer.remember(IdToken("04A2"), AuthorizationInfo(status=AuthorizationStatus.ACCEPTED, expiry=end))
    await clock.advance(LIFE - 1)
    assert (await authorizer.authorize(IdToken("04A2"))).accepted
    await clock.advance(2)
    assert not (await authorizer.authorize(IdToken("04A2"))).accepted


def test_an_entry_without_expiry_stays(tokens):
    cache(tokens, "04A2")
    assert tokens.cache_entry(key("04A2"), now_unix=NOW * 2) == b"04A2"


@pytest.mark.req("C10.FR.07")
def test_a_full_cache_takes_new_tokens_and_forgets_the_one_unused_for_longest(database):
    tokens = TokenRepository(database, max_cache_entries=3)
    for number, value in enumerate("ABC"):
        cache(tokens, value, now=NOW + number)
    tokens.use_cache_entry(key("A"), now_unix=NOW + 10)
    cache(tokens, "D", now=NOW + 11)
    assert [value for value in "ABCD" if tokens.cache_entry(key(value), now_unix=NOW + 12)] == ["A", "C", "D"]


def test_the_cache_is_bounded(database):
    tokens = TokenRepository(database)
    with database.transaction(durable=False):
        for number in range(MAX_CACHE_ENTRIES + 5):
            cache(tokens, f"{number:08X}", now=NOW + number)
    assert tokens.cache_size() == MAX_CACHE_ENTRIES


@pytest.mark.req("C11.FR.01")
def test_clearing_forgets_every_cached_token_for_good_and_leaves_the_list(database, tokens):
    cache(tokens, "04A2")
    tokens.replace_list(1, {key("04A2"): b"list"})
    before = database.fsyncs
    tokens.clear_cache()
    assert database.fsyncs == before + 1
    assert tokens.cache_size() == 0
    assert tokens.list_entry(key("04A2")) == b"list"


def test_looking_a_token_up_costs_no_fsync(database, tokens):
    cache(tokens, "04A2")
    tokens.cache_entry(key("04A2"), now_unix=NOW)
    assert database.fsyncs == 0


# -- local list -------------------------------------------------------------------------------------------------------


@pytest.mark.req("D02.FR.02")
def test_without_a_list_the_version_is_zero(tokens):
    assert (tokens.list_version(), tokens.list_size(), tokens.list_entry(key("A"))) == (0, 0, None)


@pytest.mark.req("D01.FR.15")
def test_a_full_update_puts_the_new_list_in_place_of_the_old_one(tokens):
    tokens.replace_list(3, {key("A"): b"1", key("B"): b"1"})
    tokens.replace_list(5, {key("B"): b"2"})
    assert (tokens.list_version(), tokens.list_size()) == (5, 1)
    assert (tokens.list_entry(key("A")), tokens.list_entry(key("B"))) == (None, b"2")


@pytest.mark.req("D01.FR.16", "D01.FR.17")
def test_a_differential_update_adds_replaces_and_removes(tokens):
    tokens.replace_list(1, {key("A"): b"1", key("B"): b"1"})
    tokens.update_list(2, {key("a"): None, key("b"): b"2", key("C"): b"2", key("never there"): None})
    assert tokens.list_version() == 2
    assert [tokens.list_entry(key(value)) for value in "ABC"] == [None, b"2", b"2"]
    assert tokens.list_size() == 2


def test_an_empty_list_is_a_list(tokens):
    tokens.replace_list(4, {})
    assert (tokens.list_version(), tokens.list_size()) == (4, 0)


def test_an_update_that_fails_midway_leaves_the_old_list(tokens):
    tokens.replace_list(1, {key("A"): b"1"})
    with pytest.raises(TypeError):
        tokens.replace_list(2, {key("B"): b"2", 5: b"2"})
    assert (tokens.list_version(), tokens.list_entry(key("A")), tokens.list_entry(key("B"))) == (1, b"1", None)


@pytest.mark.req("D01.FR.10")
def test_an_update_is_durable_with_one_fsync(database, tokens):
    tokens.replace_list(1, {key(str(number)): b"1" for number in range(100)})
    assert database.fsyncs == 1


# -- against a plain dictionary ---------------------------------------------------------------------------------------

VALUES = st.sampled_from(["A", "a", "B", "b", "C", "D", "E"])


class Cache(RuleBasedStateMachine):
    """The cache against a dictionary in order of use."""

    SIZE = 3

    @initialize()
    def open(self):
        self.directory = tempfile.TemporaryDirectory()
        self.database = Database.open(Path(self.directory.name) / "station.db")
        self.tokens = TokenRepository(self.database, max_cache_entries=self.SIZE)
        self.model: dict[str, tuple[bytes, float | None]] = {}
        self.now = NOW

    def teardown(self):
        self.database.close()
        self.directory.cleanup()

    @rule(value=VALUES, data=st.binary(max_size=4), life=st.none() | st.integers(1, 5))
    def put(self, value, data, life):
        self.now += 1
        expires = None if life is None else self.now + life
        self.tokens.put_cache_entry(key(value), data, now_unix=self.now, expires_unix=expires)
        self.model.pop(value.lower(), None)
        self.model[value.lower()] = (data, expires)
        self.model = {key: each for key, each in self.model.items() if each[1] is None or each[1] > self.now}
        if len(self.model) > self.SIZE:
            del self.model[next(iter(self.model))]

    @rule(value=VALUES)
    def get(self, value):
        self.now += 1
        expected = self.model.get(value.lower())
        if expected is not None and expected[1] is not None and expected[1] <= self.now:
            expected = None
        assert self.tokens.cache_entry(key(value), now_unix=self.now) == (expected[0] if expected else None)
        assert self.tokens.cache_size() == len(self.model)

    @rule(value=VALUES, life=st.none() | st.integers(1, 5))
    def use(self, value, life):
        self.now += 1
        self.tokens.use_cache_entry(
            key(value), now_unix=self.now, expires_unix=None if life is None else self.now + life
        )
        entry = self.model.pop(value.lower(), None)
        if entry is not None:
            self.model[value.lower()] = (entry[0], entry[1] if life is None else self.now + life)

    @rule()
    def clear(self):
        self.tokens.clear_cache()
        self.model.clear()


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
