"""HTTP as a test wants it: the status and the JSON of any answer, errors included."""

import json
import urllib.error
import urllib.request
from typing import Any


def ask(port: int, method: str, path: str, body: Any = None, *, token: str | None = None) -> tuple[int, Any]:
    """`body`: an object, sent as JSON, or bytes, sent as they are."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
