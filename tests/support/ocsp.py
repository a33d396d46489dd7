"""An OCSP responder for tests, over HTTP in a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from support.tls import Authority

STATUSES = {"good": ocsp.OCSPCertStatus.GOOD, "revoked": ocsp.OCSPCertStatus.REVOKED}


def answer(
    request: bytes, signer: Authority, status: str, *, at: datetime | None = None, issuer: Authority | None = None
) -> bytes:
    """The response (DER) that says `status` of the certificate asked for."""
    asked = ocsp.load_der_ocsp_request(request)
    now = at or datetime.now(UTC)
    by_serial = (issuer or signer).issued[asked.serial_number]
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=by_serial,
        issuer=(issuer or signer).certificate,
        algorithm=hashes.SHA256(),
        cert_status=STATUSES[status],
        this_update=now,
        next_update=now + timedelta(hours=1),
        revocation_time=now if status == "revoked" else None,
        revocation_reason=x509.ReasonFlags.key_compromise if status == "revoked" else None,
    )
    made = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate).sign(signer.key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


@contextmanager
def responder(signer: Authority, status: str, at: datetime) -> Iterator[str]:
    """The URL of a responder that always says `status`, as of the test's time; "unreachable" answers with 500."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            body = b"" if status == "unreachable" else answer(request, signer, status, at=at)
            self.send_response(200 if body else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/ocsp"
        finally:
            server.shutdown()
            thread.join(10)
