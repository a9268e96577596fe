"""Signing in: the page for people (WebVendorLogin), TOTPLogin for an own key, and the exchange for an access token."""

from __future__ import annotations

import urllib.parse
from typing import Any

from ..pages import esc, hidden, origin, page
from ..web import Problem, Request, Response, json_response
from ..world import World
from . import accounts, auth
from .envelope import INVALID_INPUT, Fields, date

PAGE_PATH = "/WebVendorLogin/VLogin/Index"
CSS = "/5paisa/static/fivepaisa.css"
MASK = '<span class="mark" aria-hidden="true">5</span>'
FLAGS = {
    "AllowBseCash": "Y", "AllowBseDeriv": "Y", "AllowBseMF": "Y", "AllowMCXComm": "Y", "AllowMcxSx": "N",
    "AllowNSECurrency": "Y", "AllowNSEL": "Y", "AllowNseCash": "Y", "AllowNseComm": "N", "AllowNseDeriv": "Y",
    "AllowNseMF": "N", "CommodityEnabled": "Y", "DPInfoAvailable": "Y", "DemoTrial": "N", "IsOnlyMF": "N",
    "POAStatus": "Y", "ClientType": "1", "CustomerType": "BASIC",
}  # fmt: skip
NUMBERS = {"DirectMFCharges": 10, "PGCharges": 10, "ReferralBenefits": 250}
ZEROS = (
    "BulkOrderAllowed", "IsIDBound", "IsIDBound2", "IsPLM", "IsPLMDefined", "PLMsAllowed", "PasswordChangeFlag",
    "RunningAuthorization", "VersionChanged",
)  # fmt: skip
TEXTS = ("AccessToken", "ClientCode", "ClientName", "OTPCredentialID", "PasswordChangeMessage", "RefreshToken")


# -- the page ------------------------------------------------------------------------------------------------------


def _frame(body: str, status: int = 200, form_to: str = "") -> Response:
    inside = (
        '<p class="fake"><strong>Sandbox.</strong> This is not 5paisa. Do not type a real PIN or password.</p>'
        f'<main class="card">{body}</main>'
    )
    return page("Sign in - 5paisa sandbox", inside, CSS, form_to=form_to, status=status)


def _wish(request: Request) -> tuple[str, str, str]:
    """Vendor key, address to go back to, and state; raises Problem 400 when nobody could be sent back."""
    given = Fields(request.query | (request.form if request.method == "POST" else {}))
    back = given.text("ResponseURL")
    parts = urllib.parse.urlsplit(back)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Problem(400, "The address to go back to (ResponseURL) is missing or is not a web address.")
    if given.text("VendorKey") != auth.APP_KEY:
        raise Problem(400, "The application that sent you here (VendorKey) is not known.")
    return given.text("VendorKey"), back, given.text("State")


def _field(name: str, label: str, hint: str, **more: Any) -> str:
    extra = "".join(f' {key}="{esc(value)}"' for key, value in more.items())
    return (
        f'<div class="field"><label for="{name}">{esc(label)}</label>'
        f'<input id="{name}" name="{name}" required{extra} aria-describedby="{name}-hint">'
        f'<small id="{name}-hint">{esc(hint)}</small></div>'
    )


def _form(request: Request, code: str = "", error: str = "") -> Response:
    key, back, state = _wish(request)
    host = urllib.parse.urlsplit(back).netloc
    digits = {
        "type": "password",
        "inputmode": "numeric",
        "maxlength": "6",
        "pattern": "[0-9]{6}",
        "autocomplete": "off",
    }
    alert = f'<p class="error" role="alert">{esc(error)}</p>' if error else ""
    body = (
        f"<header>{MASK}<div><h1>Sign in</h1><p>to let <b>{esc(host)}</b> trade in your account</p></div></header>"
        f'{alert}<form method="post" action="/5paisa{PAGE_PATH}" autocomplete="off">'
        f"{hidden(VendorKey=key, ResponseURL=back, State=state)}"
        + _field(
            "ClientCode", "Client code", "In this sandbox: 50000001", value=code, inputmode="numeric", maxlength=20
        )
        + _field("PIN", "PIN", "In this sandbox: 111111", **digits)
        + _field("TOTP", "One-time code (TOTP)", "From your authenticator app; here: 123456", **digits)
        + "<button>Sign in</button></form><footer>You are sent back after signing in. The sign-in ends at 11:59 pm."
        "</footer>"
    )
    return _frame(body, form_to=origin(back))


def _error(problem: Problem) -> Response:
    body = f"<header>{MASK}<div><h1>This link does not work</h1></div></header><p>{esc(problem.message)}</p>"
    return _frame(body, problem.status)


def show(world: World, request: Request) -> Response:
    try:
        return _form(request)
    except Problem as problem:
        return _error(problem)


def submit(world: World, request: Request) -> Response:
    """Right: the browser goes back with `RequestToken` and `state` (document, OAuth login). Wrong: the page again."""
    try:
        _, back, state = _wish(request)
    except Problem as problem:
        return _error(problem)
    given = Fields(request.form)
    client = accounts.sign_in(world, given.text("ClientCode", "Email_ID"), given.text("PIN"), given.text("TOTP"))
    if client is None:
        return _form(request, given.text("ClientCode"), "Client code, PIN or one-time code is not right.")
    parts = urllib.parse.urlsplit(back)
    pairs = [*urllib.parse.parse_qsl(parts.query), ("RequestToken", auth.request_token(world, client.code))]
    query = urllib.parse.urlencode([*pairs, ("state", state)] if state else pairs)
    return Response(
        302, b"", "text/plain", {"Location": parts._replace(query=query).geturl(), "Cache-Control": "no-store"}
    )


# -- tokens --------------------------------------------------------------------------------------------------------


def _read(request: Request) -> tuple[Fields, Fields]:
    try:
        whole = Fields(request.json)
    except Problem:
        whole = Fields(None)
    return Fields(whole.get("head")), Fields(whole.get("body"))


def totp_login(world: World, request: Request) -> Response:
    """`TOTPLogin` of the SDK: signs in without a page (providers.md 4.1)."""
    head, body = _read(request)
    good = head.text("key") == auth.APP_KEY
    client = accounts.sign_in(world, body.text("Email_ID"), body.text("PIN"), body.text("TOTP")) if good else None
    token = auth.request_token(world, client.code) if client else ""
    message = "" if client else "Invalid Client Code, PIN or TOTP." if good else "Invalid head parameters."
    key = auth.APP_KEY if client else ""
    answer = {"Message": message, "RequestToken": token, "Status": 0 if client else 2, "Userkey": key}
    words = "Success" if client else "Invalid Inputs"
    return json_response({"body": answer, "head": {"Status": 0 if client else 2, "StatusDescription": words}})


def _person(world: World, status: int, message: str, client: accounts.Client | None) -> dict[str, Any]:
    """What an answer to a login says of whom it signs in."""
    body: dict[str, Any] = {name: value if client else "" for name, value in FLAGS.items()}
    body |= {name: value if client else 0 for name, value in NUMBERS.items()}
    body |= dict.fromkeys(ZEROS, 0) | dict.fromkeys(TEXTS, "")
    body |= {"CleareDt": date(world.now()), "Message": message, "Status": status}
    if client:
        body |= {"POAStatus": "Y" if client.poa else "N", "ClientCode": client.code, "ClientName": client.name}
    return body


def _token_answer(world: World, status: int, message: str, client: str = "") -> Response:
    known = accounts.find(client)
    body = _person(world, status, message, known)
    words = {0: "Success", 2: "Invalid Inputs", -1: "Server Unable to process your request"}[status]
    response = json_response({"body": body, "head": {"Status": status, "StatusDescription": words}})
    if known:
        token = auth.access_token(world, client)
        body |= {"AccessToken": token, "RefreshToken": token[-32:]}
        response = json_response({"body": body, "head": {"Status": status, "StatusDescription": words}})
        response.headers |= auth.cookie(token)
    return response


def email_login(world: World, request: Request) -> Response:
    """`LoginRequestMobileNewbyEmail` of older SDKs: client code or e-mail, PIN and date of birth, each encrypted.

    The session comes as a JWT, and as a cookie, which is all that the oldest SDK sends back. Their `init` takes an
    empty Message for a yes.
    """
    head, body = _read(request)
    good = (head.text("key"), head.text("userId")) == (auth.APP_KEY, auth.USER_ID)
    code, pin, born = (auth.decrypted(body.text(name)) for name in ("Email_id", "Password", "My2PIN"))
    client = accounts.sign_in_of_old(world, code, pin, born) if good else None
    message = "" if client else "Invalid email id, password or date of birth." if good else INVALID_INPUT
    answer = _person(world, 0 if client else 2, message, client)
    token = auth.access_token(world, client.code) if client else ""
    answer = {name: value for name, value in answer.items() if name not in ("AccessToken", "RefreshToken")}
    status = {"responseCode": head.text("requestCode") or "5PLoginV4", "status": "0", "statusDescription": "Success"}
    response = json_response({"body": answer | {"JWTToken": token}, "head": status})
    response.headers |= auth.cookie(token) if client else {}
    return response


def access_token(world: World, request: Request) -> Response:
    """`GetAccessToken`: the RequestToken, used once within 60 minutes, for a token until 23:59."""
    head, body = _read(request)
    if not body.text("RequestToken", "EncryKey", "UserId"):
        return _token_answer(world, -1, "Server Unable to process your request")
    given = (head.text("Key"), body.text("EncryKey"), body.text("UserId"))
    if given != (auth.APP_KEY, auth.ENCRYPTION_KEY, auth.USER_ID):
        return _token_answer(world, 2, INVALID_INPUT)
    client = auth.use_request_token(world, body.text("RequestToken"))
    if client is None:
        return _token_answer(world, 2, "Token Expired.")
    accounts.ensure(world, client)
    return _token_answer(world, 0, "Success", client)
