# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of the test CA at every step of an order: the client has the right status and a sentence
in time, the daemon lives and leaks nothing, challenges are withdrawn, and the next request succeeds.

By default every kind of fault is tried at every step with one example; with ACMEMS_LONG=1 all
examples are."""
import time

import pytest

from lab.faultlab import GRACE, LONG, TIMEOUT, side_by_side
from lab.testca import fault_examples

# What belongs to the account: to meet its fault the daemon starts anew.
EARLY = ("directory", "new-nonce", "new-account", "connection")
ENDPOINTS = [*EARLY, "new-order", "authz", "challenge", "order", "finalize", "cert"]
# All examples of these are worth their time at these steps, also in the short form.
THOROUGH = {"problem": ("new-account", "new-order", "challenge", "finalize")}

# ---- the table of statuses ----

# What is wrong with a problem of this type; by default 503.
FOR_US = ("accountDoesNotExist", "badPublicKey", "badRevocationReason", "badSignatureAlgorithm",
          "externalAccountRequired", "invalidContact", "invalidProfile", "malformed", "unauthorized",
          "unsupportedContact", "userActionRequired")
OF_NAMES = {"rejectedIdentifier": 403, "unsupportedIdentifier": 403, "badCSR": 415, "caa": 421, "connection": 421,
            "dns": 421, "incorrectResponse": 421, "tls": 421}
OF_CSR = {("new-order", "badPublicKey"), ("new-order", "malformed"), ("finalize", "badPublicKey"),
          ("finalize", "malformed"), ("finalize", "unauthorized")}

# (once, for ever); a number is the same for both.
STATES = {
    "reuse-order": 200, "authz-valid": 200, "authz-invalid": 421, "authz-invalid order=invalid": {421, 503},
    "no-authorizations": 504, "no-authorizations order=ready": 200, "challenges": 403,
    "challenges offer=dns-persist-01 http-01 dns-01 sky-writing-01": 200, "stays-pending polls=3": 200,
    "stays-pending": 504, "challenge-invalid": 421, "challenge-invalid type=rateLimited": 429,
    "challenge-never": 504, "challenge-conflict": 200, "processing polls=2": 200, "processing": 504,
    "late-invalid": 503, "late-invalid type=caa polls=2": 421, "wrong-key": (200, 503), "wrong-names": 503,
    "expired": 503, "not-yet": 200, "chain": 503, "chain form=no-newline": 200, "chain form=extra-text": 200,
    "chain form=crlf": 200, "chain form=leaf-only": 200, "chain form=blank-lines": 200,
    "chain form=reversed": (200, 503), "tls": 503, "refuse": 503, "mute": 504,
}
HARMLESS = ("close", "chunked", "twice", "content-type", "delay", "reuse-order")


def name_of(fault):
    parts = [f"{k}={' '.join(v) if isinstance(v, list) else v}" for k, v in fault.items() if k != "name"]
    return " ".join([fault["name"], *parts])


def of_state(fault, once):
    row = STATES.get(name_of(fault), STATES.get(fault["name"]))
    row = row[0 if once else 1] if isinstance(row, tuple) else row
    return row if isinstance(row, set) else {row}


def of_problem(endpoint, kind, once):
    if endpoint == "new-nonce":
        return {429 if kind == "rateLimited" else 503}  # HEAD has no body to say more
    if kind == "orderNotReady" and endpoint == "finalize":
        return {200} if once else {504}
    if kind == "badNonce":
        return {200} if once and endpoint != "directory" else {503}
    if (endpoint, kind) in OF_CSR:
        return {415}
    if kind in FOR_US:
        return {500} if kind != "accountDoesNotExist" or endpoint != "new-account" or not once else {200}
    if kind in OF_NAMES:
        return {OF_NAMES[kind]} if endpoint not in EARLY else {503}
    if kind == "rateLimited":
        return {200 if once else 504} if endpoint == "order" else {429}
    return {200} if once and endpoint == "order" else {503}


def of_refusal(endpoint, status, once):
    """An answer that refuses without a reason."""
    if endpoint == "order":
        return {200} if once else {504 if status in (429, 503) else 503}
    return {429 if status == 429 else 503}


def of_busy(endpoint, fault, once):
    """With a time that fits; whoever waits for it is told when it does not."""
    if endpoint == "new-nonce":
        return {200, fault["status"]}  # the refusal brings a nonce, and a pause
    if once:
        return {200}
    return {504, fault["status"]}


def of_nonsense(endpoint, once):
    """A 2xx with something else in it, and nothing done."""
    if endpoint == "new-nonce" or (once and endpoint == "order"):
        return {200}
    return {504} if endpoint in ("challenge", "finalize") else {503}


def of_transport(endpoint, fault, once):
    """The request was heard; the answer is lost on its way."""
    kind, at = fault["name"], fault.get("at")
    of_body = kind in ("bad-chunk", "cut-json", "nul", "length", "huge") or at in ("headers", "body")
    if endpoint == "new-nonce" and of_body:
        return {200}
    if endpoint == "finalize":
        return {200} if kind != "huge" or once else {503}
    if endpoint == "challenge" and (kind in ("cut-json", "nul") or fault.get("add", 0) < 0):
        return {200}  # what it says is not needed
    if once and (endpoint == "order" or (at == "request" and endpoint != "directory")):
        return {200}
    return {503}


def of_time(endpoint, fault):
    """The answer does not end."""
    if endpoint == "new-nonce" and fault["name"] in ("slow-body", "length"):
        return {200}
    return {504}


def of_header(endpoint, fault, once):
    nonce = fault["name"] in ("no-nonce", "used-nonce") or fault.get("header") == "Replay-Nonce"
    if nonce and endpoint == "new-nonce":
        return {200} if fault["name"] == "used-nonce" else {503}
    if nonce and fault["name"] == "used-nonce" and endpoint == "new-account":
        return {200} if once else {503}
    if not nonce and endpoint == "new-order":
        return {503}
    if not nonce and endpoint == "new-account":
        return {200} if once else {500, 503}
    return {200}


def fits(fault):
    """It asks to wait for a time that is within ours."""
    after = fault.get("retry-after", "")
    return "date-in" in fault or (after.isdigit() and int(after) < TIMEOUT)


def at_step(endpoint, fault, once):
    kind, status = fault["name"], fault.get("status", 200)
    if kind in HARMLESS or (kind in ("slow-head", "slow-body") and fault["ms"] < 100):
        return {200}
    if kind in ("silence", "slow-head", "slow-body") or fault.get("endless") or (kind, status) == ("interim", 100) \
            or (kind == "length" and not fault.get("fin")):
        return of_time(endpoint, fault)
    if kind == "unframed":
        return {200}
    if kind in ("reset", "bad-chunk", "length", "not-http", "huge-head", "interim", "cut-json", "nul") \
            or (kind == "huge" and (status == 200 or endpoint == "finalize")):
        return of_transport(endpoint, fault, once)
    if kind in ("no-nonce", "used-nonce", "header", "no-header"):
        return of_header(endpoint, fault, once)
    if kind in ("busy", "problem") and fits(fault):
        return of_busy(endpoint, fault, once)
    if kind in ("problem", "bad-nonce"):
        return of_problem(endpoint, fault.get("type", "badNonce"), once)
    return of_nonsense(endpoint, once) if status < 300 else of_refusal(endpoint, status, once)


def expected(endpoint, fault, once):
    """The statuses that are right for this fault at this step."""
    if fault["name"] in STATES:
        statuses = of_state(fault, once)
    else:
        statuses = at_step(endpoint, fault, once)
    # Several polls of 50 MB each may take longer than there is time.
    if fault["name"] == "huge" and endpoint == "order" and not once:
        statuses = statuses | {504}
    # The daemon tries again after a second: it depends on who comes first.
    if once and endpoint in EARLY:
        statuses = statuses | at_step(endpoint, fault, False) if fault["name"] not in STATES else statuses
        statuses = statuses | {200}
    return statuses


# ---- one case ----

def check_answer(fault, name, r, took, statuses):
    assert r.status in statuses, f"expected {sorted(statuses)}: {r!r}"
    assert took < TIMEOUT + GRACE, f"{took:.1f} s: {r!r}"
    if r.status == 200:
        return
    r.check_error()
    assert name in r.text, f"does not name {name}: {r!r}"
    if fault["name"] == "problem" and r.status in (403, 415, 421):
        assert "told to say so" in r.text, f"does not quote the CA: {r!r}"
    if r.status in (429, 503):
        assert int(r.header("Retry-After")) <= 7 * 86400, repr(r)


def one(pair, case):
    endpoint, fault, once = case
    pair.ca.rules({"endpoint": endpoint, "count": int(once), "fault": fault})
    try:
        if endpoint in EARLY:
            pair.start_anew()
        check_answer(fault, *pair.post(), expected(endpoint, fault, once))
    finally:
        pair.ca.honest()
    pair.no_token_left()
    pair.forget()
    name, r, took = pair.post()
    assert r.status == 200, f"afterwards: {r!r}"
    # Whoever waits for a pause of ours would take longer.
    assert took < TIMEOUT, f"afterwards: {took:.1f} s"


def cases(endpoint, once):
    seen, chosen = set(), []
    for _, fault, endpoints in fault_examples():
        new = (fault["name"], fault.get("status", 200) < 300) not in seen
        if endpoint in endpoints and (LONG or new or (not once and endpoint in THOROUGH.get(fault["name"], ()))):
            chosen.append((endpoint, fault, once))
            seen.add((fault["name"], fault.get("status", 200) < 300))
    return chosen


@pytest.mark.parametrize("once", [True, False], ids=["once", "for ever"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_fault(tmp_path, endpoint, once):
    started = time.monotonic()
    todo = cases(endpoint, once)
    assert todo
    wrong = side_by_side(tmp_path, todo, one, count=4)
    assert not wrong, f"{len(wrong)} of {len(todo)} in {time.monotonic() - started:.0f} s:\n" + "\n".join(wrong)
