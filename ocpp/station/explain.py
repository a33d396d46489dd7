"""`pilotwire explain`: what a running station allows an EVSE at an instant, in words."""

import json
import sys
from typing import Any
from urllib import error, parse, request


def explain(api: str, evse: int, at: str | None, token: str | None) -> int:
    """Ask the local API and print the answer; 1 when it cannot be had."""
    query = parse.urlencode({"evse": evse} | ({"at": at} if at is not None else {}))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with request.urlopen(request.Request(f"http://{api}/api/explain?{query}", headers=headers)) as answer:
            print("\n".join(words(json.load(answer))))
    except error.HTTPError as refused:
        print(json.load(refused)["error"], file=sys.stderr)
        return 1
    except OSError as failed:
        print(f"no station answers at {api}: {failed}", file=sys.stderr)
        return 1
    return 0


def words(told: dict[str, Any]) -> list[str]:
    """The answer of GET /api/explain, a line for each thing that counts."""
    limit = told["limit"]
    lines = [f"EVSE {told['evse']} at {told['at']}: {limit['current_a']:g} A on {limit['phases']} phase(s)"]
    if not told["profiles"]:
        lines.append(f"  no charging profile says anything; what counts is {limit['reason']}")
    for each in told["profiles"]:
        period = each["period"]
        place = f"EVSE {each['evse']}" if each["evse"] else "the station"
        lines.append(
            f"  {each['purpose']} {each['id']} (stack level {each['stack_level']}, {each['kind']}, for {place}): "
            f"period {period['index'] + 1}, {period['limit']:g} {period['unit']} from {period['start_s']} s on"
        )
    silent = [each for each in told["installed"] if each["id"] not in {one["id"] for one in told["profiles"]}]
    lines += [f"  not in force: {each['purpose']} {each['id']} (stack level {each['stack_level']})" for each in silent]
    return lines
