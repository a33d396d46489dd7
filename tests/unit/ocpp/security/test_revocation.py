import datetime

import pytest
from support.ocsp import answer, responder
from support.tls import NOW, Authority

from ocpp.security.revocation import is_revoked

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def root():
    return Authority("root")


def asked_of(signer, status, issuer=None, at=NOW):
    async def ask(url, request):
        return answer(request, signer, status, issuer=issuer, at=at)

    return ask


@pytest.mark.req("1.6-L01.FR.25")
@pytest.mark.parametrize(("status", "revoked"), [("good", False), ("revoked", True)])
async def test_the_responder_of_the_certificate_is_asked_over_http(root, status, revoked):
    with responder(root, status, NOW) as url:
        certificate = root.issue("firmware", ocsp=url)
        assert await is_revoked(certificate, root.certificate, NOW) is revoked


async def test_a_certificate_without_a_responder_is_not_revoked(root):
    assert not await is_revoked(root.issue("firmware"), root.certificate, NOW)


async def test_the_answer_of_a_stranger_revokes_nothing(root, caplog):
    certificate = root.issue("firmware", ocsp="http://ocsp.example/")
    ask = asked_of(Authority("stranger"), "revoked", issuer=root)
    assert not await is_revoked(certificate, root.certificate, NOW, ask)
    assert "not signed by the issuer" in caplog.text


@pytest.mark.parametrize("age", [-2 * HOUR, 3 * HOUR])
async def test_an_answer_that_is_not_of_now_revokes_nothing(root, caplog, age):
    certificate = root.issue("firmware", ocsp="http://ocsp.example/")
    assert not await is_revoked(certificate, root.certificate, NOW, asked_of(root, "revoked", at=NOW - age))
    assert "not of now" in caplog.text


@pytest.mark.parametrize("content", [b"", b"no response at all", bytes(100)])
async def test_garbage_revokes_nothing(root, content):
    async def ask(url, request):
        return content

    assert not await is_revoked(root.issue("firmware", ocsp="http://ocsp.example/"), root.certificate, NOW, ask)


async def test_only_http_is_asked(root, caplog):
    assert not await is_revoked(root.issue("firmware", ocsp="file:///etc/passwd"), root.certificate, NOW)
    assert "no HTTP address" in caplog.text
