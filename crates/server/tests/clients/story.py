"""What both clients have in common: how a client signs in, and how a refusal looks to it."""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request

# CONTRACT section 2: the number of each kind of error, and its gRPC status.
KINDS = {
    20: ("NotFound", "NOT_FOUND"),
    21: ("NotUnique", "ALREADY_EXISTS"),
    22: ("InvalidData", "INVALID_ARGUMENT"),
    23: ("InsufficientScopes", "PERMISSION_DENIED"),
    24: ("TenantRequired", "INVALID_ARGUMENT"),
    25: ("TenantNotFound", "NOT_FOUND"),
    26: ("Unauthorized", "UNAUTHENTICATED"),
    27: ("InvalidOperation", "FAILED_PRECONDITION"),
}


class Refused(Exception):
    """A refusal: its number, and the fields that it names (gRPC alone tells them apart from its text)."""

    def __init__(self, number, text, fields=()):
        super().__init__(f"{number}: {text}")
        self.number, self.text, self.fields = number, text, list(fields)


def refused(number, call, *arguments, **named):
    """Expects a refusal, and answers it."""
    try:
        answer = call(*arguments, **named)
    except Refused as refusal:
        assert refusal.number == number, f"expected {number}, got {refusal}"
        return refusal
    raise AssertionError(f"{call.__name__}{arguments} was not refused with {number}: {answer}")


def token(url, client_id, client_secret):
    """RFC 6749 section 4.4, with HTTP Basic; `None` when the client is refused."""
    pair = ":".join(urllib.parse.quote(part, safe="") for part in (client_id, client_secret))
    request = urllib.request.Request(
        url,
        data=b"grant_type=client_credentials",
        headers={
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["access_token"]
    except urllib.error.HTTPError as error:
        assert error.code == 401 and json.load(error)["error"] == "invalid_client", error
        return None


def eventually(what, done):
    """A generous bound: only what never happens fails."""
    for _ in range(600):
        if done():
            return
        time.sleep(0.1)
    raise AssertionError(f"never happened: {what}")
