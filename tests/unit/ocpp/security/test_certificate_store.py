"""Certificates and keys in their files."""

import os
import stat

import pytest
from support.tls import DAY, NOW, Authority

from ocpp.security import certificates
from ocpp.security.certificate_folder import CertificateFolder, Kind
from ocpp.security.certificate_store import MAX_PENDING_KEYS


@pytest.fixture(scope="module")
def root():
    return Authority("root")


@pytest.fixture
def folder(tmp_path):
    return CertificateFolder(tmp_path / "certificates")


def own(store, root, kind=Kind.STATION, **validity):
    key = certificates.new_key()
    store.add_key(key)
    return store.put(kind, [root.issue("0001", key, **validity)])


def test_an_empty_folder_has_nothing_and_is_not_made(folder):
    assert not folder.has(*Kind)
    assert folder.count() == 0
    assert folder.store.all() == []
    assert not folder.path.exists()


def test_what_was_put_is_there_for_the_next_start(folder, root):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    again = CertificateFolder(folder.path)
    assert again.has(Kind.CSMS_ROOT)
    assert not again.has(Kind.STATION)
    assert again.count() == 1
    assert [each.certificate for each in again.store.all(Kind.CSMS_ROOT)] == [root.certificate]


def test_the_same_certificate_is_kept_once(folder, root):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    assert folder.count() == 1


@pytest.mark.req("A02.FR.05", "A03.FR.05", "1.6-A02.FR.05", "1.6-A03.FR.05")
def test_keys_are_for_their_owner_only(folder, root):
    stored = own(folder.store, root)
    for path in (folder.store.key_file(stored), stored.path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700


def test_a_damaged_file_is_left_out(folder, root):
    stored = folder.store.put(Kind.CSMS_ROOT, [root.certificate])
    (stored.path.parent / "0000.pem").write_text("half a certif")
    assert [each.path for each in folder.store.all()] == [stored.path]


@pytest.mark.req("A02.FR.15", "A03.FR.15", "1.6-A02.FR.09", "1.6-A03.FR.09")
@pytest.mark.parametrize("kind", [Kind.STATION, Kind.V2G])
def test_the_newest_valid_certificate_with_a_key_comes_first(folder, root, kind):
    store = folder.store
    old = own(store, root, kind, start=NOW - 9 * DAY)
    new = own(store, root, kind, start=NOW - DAY)
    own(store, root, kind, start=NOW + DAY)
    own(store, root, kind, start=NOW - 9 * DAY, end=NOW - DAY)
    store.put(kind, [root.issue("0001")])
    assert [each.path for each in store.newest(kind, NOW)] == [new.path, old.path]


def test_a_key_goes_with_its_last_certificate(folder, root):
    store = folder.store
    key = certificates.new_key()
    name = store.add_key(key)
    first = store.put(Kind.STATION, [root.issue("0001", key)])
    second = store.put(Kind.STATION, [root.issue("0001", key)])
    store.remove(first)
    assert store.key(name) is not None
    store.remove(second)
    assert store.key(name) is None


def test_keys_without_a_certificate_are_bounded(folder, root):
    used = own(folder.store, root)
    for _ in range(MAX_PENDING_KEYS + 5):
        folder.store.add_key(certificates.new_key())
    assert len(list((folder.path / "keys").glob("*.pem"))) == MAX_PENDING_KEYS + 1
    assert folder.store.key_file(used) is not None


def test_a_certificate_is_found_by_any_of_the_hashes(folder, root):
    intermediate = Authority("intermediate", root)
    folder.store.put(Kind.V2G_ROOT, [root.certificate])
    stored = folder.store.put(Kind.V2G, [intermediate.issue("0001"), intermediate.certificate])
    for algorithm in ("SHA256", "SHA384", "SHA512"):
        wanted = certificates.hash_data(intermediate.certificate, root.certificate, algorithm)
        assert folder.store.find(wanted) == [(stored, 1)]


def test_half_a_file_is_never_put_in_place(folder, root, monkeypatch):
    folder.store.put(Kind.CSMS_ROOT, [root.certificate])

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        folder.store.put(Kind.CSMS_ROOT, [Authority("other").certificate])
    assert [path.suffix for path in (folder.path / "csms_root").iterdir()] == [".pem"]
