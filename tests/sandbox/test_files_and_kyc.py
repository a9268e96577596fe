import csv
import datetime as dt
import io
import uuid

import pytest

from portal.sandbox.clock import IST
from tests.sandbox.api import BOND, Caller, Shop

CAMS_FUND = "INF209K01165"
KYC = {
    "pan": "KZPPG3753U",
    "email": "raj@example.com",
    "aadhaar_number": "1210",
    "mobile": {"isd": "+91", "number": "8160597103"},
    "name": "Rani Gupta",
    "father_name": "Rajesh Gupta",
    "spouse_name": "",
    "mother_name": "Neha Gupta",
    "gender": "male",
    "date_of_birth": "1980-10-19",
    "country_of_birth": "in",
    "marital_status": "unmarried",
    "residential_status": "resident_individual",
    "occupation_type": "private_sector",
    "correspondence_address": {
        "line_1": "E/&02",
        "line_2": "Opp SBI ATM",
        "city": "Delhi",
        "pincode": "110001",
        "country": "in",
        "proof": "4192de0d-165f-458e-89ec-d4334b370256",
        "proof_back": "771a4d57-5447-4b1e-b4b6-dcb6049bda8c",
        "proof_type": "passport",
        "proof_number": "JXXXXXX0",
        "proof_issue_date": "2004-10-20",
        "proof_expiry_date": "2040-10-20",
    },
    "permanent_address_is_same_as_correspondence": True,
    "identity_proof": "2f4d93e0-b700-41b8-b78e-e130224cfb03",
    "signature": "434ceed567-53c5-3f68-ba3b-cbdc58526c64",
    "photo": "946848da-50bb-4957-a940-c164c0c71172",
}
WHERE = "correspondence_address"
PROOF = KYC[WHERE]


def upload(caller: Caller, content: bytes, name: str = "WBR2.csv", kind: str = "text/csv"):
    said = f"Content-Type: {kind}\r\n" if kind else ""
    head = f'--B\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n{said}\r\n'
    tail = b'\r\n--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfeed\r\n--B--\r\n'
    if not caller.token:
        caller.token = caller.login().json["token"]
    headers = {"Authorization": f"Bearer {caller.token}", "Content-Type": "multipart/form-data; boundary=B"}
    return caller.raw("POST", "/fp/files", head.encode() + content + tail, headers)


def process(caller: Caller, content: bytes) -> dict:
    file = upload(caller, content).json
    made = caller.fp("POST", "/file_operations", {"type": "transaction_processing", "file": file["id"]}).json
    assert (made["object"], made["status"], made["processed"]) == ("file_operation", "pending", None)
    caller.control("POST", "/clock", {"advance": "PT2S"})
    return caller.fp("GET", f"/file_operations/{made['id']}").json


def transactions(shop: Shop, folio: str, more: str = "") -> list[dict]:
    """Of the last two months: on the first days of April the last NAV is of the financial year before."""
    since = dt.datetime.now(IST).date() - dt.timedelta(days=60)
    return list(shop.caller.fp("GET", f"/transactions?folios={folio}&from={since}{more}").json["data"])


def test_files_are_kept_with_their_facts(caller: Caller):
    made = upload(caller, b"\x89PNG data", "pan.png", "image/png").json
    assert set(made) == {"object", "id", "created_at", "filename", "content_type", "purpose", "byte_size", "url"}
    assert (made["filename"], made["content_type"], made["byte_size"], made["purpose"]) == (
        "pan.png",
        "image/png",
        9,
        "feed",
    )
    assert caller.fp("GET", f"/files/{made['id']}").json == made
    assert caller.fp("GET", "/files").json == {"object": "list", "data": [made]}
    assert caller.fp("GET", f"/files/{made['id']}/content").body == b"\x89PNG data"
    assert caller.fp("GET", "/files/none").status == 404
    assert caller.fp("POST", "/files", {}).status == 400


def test_a_part_without_a_kind_is_of_the_kind_that_its_name_ends_in(caller: Caller):
    """So send many libraries what they are not told more about."""
    for name, kind in (("card.jpg", "image/jpeg"), ("me.mp4", "video/mp4"), ("WBR2", "application/octet-stream")):
        assert upload(caller, b"x", name, "").json["content_type"] == kind
        assert upload(caller, b"x", name, "application/octet-stream").json["content_type"] == kind
    assert upload(caller, b"x", "card.jpg", "image/jpg").json["content_type"] == "image/jpeg"
    assert upload(caller, b"x", "card.jpg", "text/plain").json["content_type"] == "text/plain"
    paper = upload(caller, b"x", "card.PDF", "").json["id"]
    assert caller.fp("POST", "/kyc_requests", naming("identity_proof", paper)).status == 200


@pytest.mark.parametrize("rta", ["CAMS", "KFINTECH"])
def test_a_feed_is_really_read_row_by_row(shop: Shop, rta):
    isin = {"CAMS": CAMS_FUND, "KFINTECH": "INF204K01EF9"}[rta]
    folio = shop.read(shop.paid(50_000, isin))["folio_number"]
    feed = shop.caller.raw("GET", f"/_control/fp/feed?rta={rta}").text
    rows = list(csv.DictReader(io.StringIO(feed)))
    assert len(rows) == 1
    first = transactions(shop, folio)
    names = {
        "CAMS": ("TRXNNO", "UNITS", "TRXN_NATURE", "TRXN_TYPE_FLAG"),
        "KFINTECH": ("TD_TRNO", "TD_UNITS", "TRDESC", "TD_TRTYPE"),
    }[rta]
    more = rows[0] | {names[0]: "777", names[1]: "-10", names[2]: "Redemption", names[3]: "R"}
    bad = rows[0] | {names[0]: "778", names[1]: "many"}
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows([rows[0], more, bad])
    done = process(shop.caller, out.getvalue().encode())
    assert (done["status"], done["processed"], done["succeeded"], done["failed"]) == ("processed", 3, 2, 1)
    again = process(shop.caller, out.getvalue().encode())
    assert again["succeeded"] == 2
    found = transactions(shop, folio)
    assert [t["type"] for t in found] == ["redemption", "purchase"]
    assert found[1] == first[0]
    assert (found[0]["units"], found[0]["sources"][0]["units"], found[0]["rta_order_reference"]) == (10, 10, "777")


FEEDS = {
    "CAMS": (CAMS_FUND, {"reference": "TRXNNO", "units": "UNITS", "word": "TRXN_NATURE", "parent": "ORIGINAL_TRXNNO"}),
    "KFINTECH": (BOND, {"reference": "TD_TRNO", "units": "TD_UNITS", "word": "TRDESC", "parent": "TD_PTRNO"}),
}


def as_feed(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


@pytest.mark.parametrize("rta", FEEDS)
@pytest.mark.parametrize("said", ["word", "sign"])
@pytest.mark.parametrize("named", [True, False])
def test_a_rejected_purchase_takes_back_the_one_that_it_is_about(shop: Shop, rta: str, said: str, named: bool):
    isin, at = FEEDS[rta]
    order = shop.paid(50_000, isin)
    folio = shop.read(order)["folio_number"]
    (bought,) = csv.DictReader(io.StringIO(shop.caller.raw("GET", f"/_control/fp/feed?rta={rta}").text))
    rejected = bought | {at["reference"]: "900001"}
    rejected |= {at["word"]: "Purchase Rejection"} if said == "word" else {at["units"]: f"-{bought[at['units']]}"}
    rejected |= {at["parent"]: bought[at["reference"]]} if named else {}
    for _ in "once", "again":
        assert process(shop.caller, as_feed(rejected, bought))["succeeded"] == 2
        first, back = sorted(transactions(shop, folio), key=lambda t: int(t["id"]))
        assert (back["type"], back["units"], back["amount"]) == ("purchase", -first["units"], -first["amount"])
        assert (back["related_transaction_id"], back["rta_order_reference"]) == (first["id"], "900001")
        assert shop.holdings() == []
        assert shop.read(order)["status"] == "REVERSED"


def test_a_rejection_of_nothing_that_is_known_fails_alone(shop: Shop):
    isin, at = FEEDS["CAMS"]
    folio = shop.read(shop.paid(50_000, isin))["folio_number"]
    (bought,) = csv.DictReader(io.StringIO(shop.caller.raw("GET", "/_control/fp/feed?rta=CAMS").text))
    rejected = bought | {at["word"]: "Purchase Rejection"}
    strangers = (
        rejected | {at["reference"]: "900001", at["parent"]: "12345"},
        rejected | {at["reference"]: "900002", at["units"]: "1.5"},
        rejected,  # with the reference of the purchase itself
    )
    done = process(shop.caller, as_feed(*strangers))
    assert (done["processed"], done["succeeded"], done["failed"]) == (3, 0, 3)
    twice = (rejected | {at["reference"]: "900003"}, rejected | {at["reference"]: "900004"})
    assert process(shop.caller, as_feed(*twice))["succeeded"] == 1
    assert len(transactions(shop, folio)) == 2


def test_dividends_that_were_paid_out_are_told_with_the_holding(shop: Shop):
    folio = shop.read(shop.paid(50_000, CAMS_FUND))["folio_number"]
    (bought,) = csv.DictReader(io.StringIO(shop.caller.raw("GET", "/_control/fp/feed?rta=CAMS").text))
    paid = bought | {
        "TRXNNO": "31",
        "TRXN_TYPE_FLAG": "DP",
        "TRXN_NATURE": "Div Payout",
        "UNITS": "0",
        "AMOUNT": "120.5",
    }
    other = paid | {"TRXNNO": "32", "AMOUNT": "9.25"}
    assert process(shop.caller, as_feed(paid, other))["succeeded"] == 2
    amount = lambda: shop.holdings()[0]["schemes"][0]["payout"]["amount"]  # noqa: E731
    assert amount() == 129.75
    back = other | {"TRXNNO": "33", "TRXN_NATURE": "Div Payout Reversal", "ORIGINAL_TRXNNO": "32"}
    assert process(shop.caller, as_feed(back))["succeeded"] == 1
    assert amount() == 120.5
    assert transactions(shop, folio, "&types=dividend_payout")[0]["amount"] < 0


def test_what_is_no_feed_fails_as_a_whole(caller: Caller):
    done = process(caller, b"hello,world\n1,2\n")
    assert (done["status"], done["processed"]) == ("failed", 0)
    bad = caller.fp("POST", "/file_operations", {"type": "mystery", "file": "none"})
    assert set(bad.fields()) == {"type", "file"}


def test_a_dbf_feed_is_read_too(shop: Shop):
    folio = shop.read(shop.paid(50_000, CAMS_FUND))["folio_number"]
    rows = list(csv.DictReader(io.StringIO(shop.caller.raw("GET", "/_control/fp/feed?rta=CAMS").text)))
    names = ["FOLIO_NO", "PRODCODE", "TRXNTYPE", "TRXNNO", "TRADDATE", "PURPRICE", "UNITS", "AMOUNT"]
    record = rows[0] | {"TRXNNO": "991"}
    record["UNITS"] = "1.5"
    fields = b"".join(n.encode().ljust(11, b"\0") + b"C" + b"\0" * 4 + bytes([20]) + b"\0" * 15 for n in names)
    length = 1 + 20 * len(names)
    head = (
        b"\x03\x7e\x01\x01"
        + (1).to_bytes(4, "little")
        + (33 + len(fields)).to_bytes(2, "little")
        + length.to_bytes(2, "little")
    )
    body = b" " + b"".join(record[n].encode().ljust(20) for n in names)
    done = process(shop.caller, head.ljust(32, b"\0") + fields + b"\x0d" + body + b"\x1a")
    assert (done["processed"], done["succeeded"]) == (1, 1)
    found = transactions(shop, folio, "&types=purchase")
    assert {t["units"] for t in found} >= {1.5}


def test_the_period_of_transactions(shop: Shop):
    read = lambda query: shop.caller.fp("GET", f"/transactions?{query}")  # noqa: E731
    assert "folios" in read("from=2026-01-01").fields()
    assert "to" in read("folios=1&from=2024-01-01&to=2025-06-01").fields()
    assert "types" in read("folios=1&types=gift").fields()
    assert read("folios=1").json == {"object": "list", "data": []}
    folio = shop.read(shop.paid(5000))["folio_number"]
    assert len(read(f"folios={folio},2").json["data"]) == 1
    assert read(f"folios={folio}&from=2020-01-01&to=2020-06-01").json["data"] == []


def test_a_kyc_request_step_by_step_until_the_pan_is_compliant(caller: Caller):
    made = caller.fp("POST", "/kyc_requests", KYC).json
    assert (made["status"], made["verification"]["status"]) == ("pending", "pending")
    assert made["requirements"]["fields_needed"] == ["ipv_video"]
    assert made["permanent_address"] == made["correspondence_address"]
    assert made["created_at"].endswith("+0530")
    path = f"/kyc_requests/{made['id']}"
    assert caller.fp("POST", f"{path}/simulate", {"status": "successful"}).status == 400
    sent = caller.fp("PATCH", path, {"ipv_video": "76e18d5f-e84a-478d-a836-4971f38d3814"}).json
    assert (sent["status"], sent["requirements"]["fields_needed"]) == ("submitted", [])
    assert caller.fp("POST", path, {"name": "Other"}).status == 400
    assert caller.fp("POST", "/api/kyc/check", {"pan": KYC["pan"]}).json["status"] is False
    assert (
        caller.fp("POST", f"{path}/simulate", {"status": "successful"}).json["verification"]["status"] == "successful"
    )
    assert caller.fp("POST", "/api/kyc/check", {"pan": KYC["pan"]}).json["status"] is True
    assert [k["id"] for k in caller.fp("GET", "/kyc_requests").json["data"]] == [made["id"]]


def test_a_rejection_has_a_reason_per_field_and_time_runs_out(caller: Caller):
    key = caller.fp("POST", "/kyc_requests", KYC | {"ipv_video": "76e18d5f-e84a-478d-a836-4971f38d3814"}).json["id"]
    said = caller.fp("POST", f"/kyc_requests/{key}/simulate", {"status": "rejected"}).json["verification"]
    assert said["details"]["pan"] == "data_mismatch"
    assert set(said["details_verbose"]["pan"]) == {"code", "reason"}
    late = caller.fp("POST", "/kyc_requests", KYC).json["id"]
    caller.control("POST", "/clock", {"advance": "P8D"})
    caller.token = ""
    assert caller.fp("GET", f"/kyc_requests/{late}").json["status"] == "expired"


MB = 1024 * 1024
PAPERS = ("identity_proof", "signature", "photo", f"{WHERE}.proof", f"{WHERE}.proof_back")


def naming(field: str, ref: str) -> dict:
    """The request with this file at this field."""
    section, _, name = field.rpartition(".")
    return KYC | ({section: PROOF | {name: ref}} if section else {name: ref})


@pytest.mark.parametrize("field", PAPERS)
@pytest.mark.parametrize(
    ("kind", "size", "words"),
    [
        ("image/gif", 10, "file must be in jpg, jpeg, png or pdf format"),
        ("video/mp4", 10, "file must be in jpg, jpeg, png or pdf format"),
        ("image/png", 5 * MB + 1, "file size should not exceed 5 MB"),
    ],
)
def test_a_paper_of_another_kind_or_size_is_refused_where_it_is_named(caller: Caller, field, kind, size, words):
    ref = upload(caller, bytes(size), "file", kind).json["id"]
    assert caller.fp("POST", "/kyc_requests", naming(field, ref)).fields() == {field: words}


@pytest.mark.parametrize(
    ("kind", "size", "words"),
    [
        ("image/png", 10, "file must be in mp4 format"),
        ("video/webm", 10, "file must be in mp4 format"),
        ("video/mp4", 12 * MB + 1, "file size should not exceed 12 MB"),
    ],
)
def test_a_video_of_another_kind_or_size_is_refused(caller: Caller, kind, size, words):
    ref = upload(caller, bytes(size), "me", kind).json["id"]
    assert caller.fp("POST", "/kyc_requests", naming("ipv_video", ref)).fields() == {"ipv_video": words}


@pytest.mark.parametrize("field", [*PAPERS, "ipv_video"])
def test_a_file_that_nobody_uploaded_is_refused_where_it_is_named(caller: Caller, field):
    refused = caller.fp("POST", "/kyc_requests", naming(field, str(uuid.uuid4())))
    assert refused.fields() == {field: "is not an uploaded file"}
    theirs = upload(Caller(caller.url, "sandbox-bse"), b"%PDF", "me", "application/pdf").json["id"]
    assert caller.fp("POST", "/kyc_requests", naming(field, theirs)).fields() == {field: "is not an uploaded file"}


def test_files_at_the_bounds_are_taken(caller: Caller):
    paper = upload(caller, bytes(5 * MB), "card.pdf", "application/pdf").json["id"]
    video = upload(caller, bytes(12 * MB), "me.mp4", "video/mp4").json["id"]
    made = caller.fp("POST", "/kyc_requests", KYC | {"identity_proof": paper, "ipv_video": video})
    assert made.json["requirements"]["fields_needed"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pan": "K1PPG1998U"}, "pan"),
        ({"email": None}, "email"),
        ({"father_name": ""}, "father_name"),
        ({"gender": "robot"}, "gender"),
        ({"mobile": "8160597103"}, "mobile"),
        ({"date_of_birth": "2999-01-01"}, "date_of_birth"),
        ({"correspondence_address": PROOF | {"proof_expiry_date": "2020-10-20"}}, f"{WHERE}.proof_expiry_date"),
        ({"correspondence_address": PROOF | {"proof_back": None}}, f"{WHERE}.proof_back"),
        ({"permanent_address_is_same_as_correspondence": False}, "permanent_address"),
    ],
)
def test_each_kyc_rule_has_its_field_error(caller: Caller, change, field):
    assert field in caller.fp("POST", "/kyc_requests", KYC | change).fields()
