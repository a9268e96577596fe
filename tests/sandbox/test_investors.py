import pytest

from tests.sandbox.api import Caller, Shop, investor

READ_KEYS = {
    "id", "display_name", "perm_addr_is_corres_addr", "ip_address", "created_at", "updated_at", "meta", "nomination",
    "contact_detail", "fatca_detail", "kyc_identity_detail", "bank_accounts", "correspondence_address", "_links",
}  # fmt: skip


def test_the_printed_example_is_taken_and_answered_with_every_documented_key(shop: Shop):
    made = shop.investor
    assert set(made) == READ_KEYS
    assert made["contact_detail"]["isd_code"] == 91
    assert made["fatca_detail"]["source_of_wealth"] == "BUSINESS"
    assert made["kyc_identity_detail"]["marital_status"] == "SINGLE"
    assert made["correspondence_address"] == {
        "line1": "1082 harlur road", "line2": None, "line3": None, "type": "CORRESPONDENCE", "zipcode": "560102",
        "city": "Bengaluru Urban", "state": "KARNATAKA", "country_ansi_code": "IN",
    }  # fmt: skip
    bank = made["bank_accounts"][0]
    assert bank["branch"]["ifsc_code"] == "ICIC0000611"
    assert bank["branch"]["bank_name"] == "ICICI BANK"
    assert set(made["nomination"]) == {"skip_nomination", "nominee1", "nominee2", "nominee3"}
    assert made["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kyc_identity_detail.pan_number": "K1PPG1998U"}, "kyc_identity_detail.pan_number"),
        ({"kyc_identity_detail.pan_number": "AFZCN3001P"}, "kyc_identity_detail.pan_number"),
        ({"kyc_identity_detail.pan_number": None}, "kyc_identity_detail.pan_number"),
        ({"kyc_identity_detail.gender": "robot"}, "kyc_identity_detail.gender"),
        ({"kyc_identity_detail.date_of_birth": "10-10-1980"}, "kyc_identity_detail.date_of_birth"),
        ({"kyc_identity_detail.date_of_birth": "2020-01-01"}, "kyc_identity_detail.guardian_pan_number"),
        ({"kyc_identity_detail": None}, "kyc_identity_detail"),
        ({"display_name": 5}, "display_name"),
        ({"ip_address": ["192.168.1.1"]}, "ip_address"),
        ({"bank_accounts": []}, "bank_accounts"),
        ({"bank_accounts.0.ifsc_code": "ICIC0999999"}, "bank_accounts[0].ifsc_code"),
        ({"bank_accounts.0.type": "PIGGY"}, "bank_accounts[0].type"),
        ({"bank_accounts.0.primary_account": False}, "bank_accounts"),
        ({"contact_detail.email": "nobody"}, "contact_detail.email"),
        ({"contact_detail.mobile": None}, "contact_detail.mobile"),
        ({"fatca_detail.gross_annual_income": 0}, "fatca_detail.gross_annual_income"),
        ({"fatca_detail.no_other_tax_residences": False}, "fatca_detail.first_trc_ansi_code"),
        ({"fatca_detail.first_trc_ansi_code": "US"}, "fatca_detail.first_trc_taxid_number"),
        ({"nomination": {"skip_nomination": False}}, "nomination.nominee1"),
        ({"nomination.nominee1.allocation_percentage": 60}, "nomination.nominee2"),
        ({"nomination.nominee1.date_of_birth": "2020-01-01"}, "nomination.nominee1.guardian_name"),
        ({"correspondence_address.pincode": "999999"}, "correspondence_address.pincode"),
        ({"correspondence_address.line1": ""}, "correspondence_address.line1"),
        ({"perm_addr_is_corres_addr": False}, "permanent_address"),
        ({"kyc_identity_detail.residential_status": "non_resident_individual"}, "overseas_address"),
    ],
)
def test_each_documented_rule_has_its_field_error(caller: Caller, changes, field):
    assert field in caller.fp("POST", "/api/onb/investors", investor(**changes)).fields()


def test_nominees_may_share_but_must_make_a_hundred(caller: Caller):
    half = investor()["nomination"]["nominee1"] | {"allocation_percentage": 50}
    good = {"skip_nomination": False, "nominee1": half, "nominee2": half}
    assert caller.fp("POST", "/api/onb/investors", investor(nomination=good)).status == 200
    bad = good | {"nominee3": half}
    assert "nomination" in caller.fp("POST", "/api/onb/investors", investor(nomination=bad)).fields()


def test_a_body_that_is_not_json_is_the_documented_parse_error(caller: Caller, shop):
    answer = caller.raw("POST", "/fp/api/onb/investors", b"{", {"Authorization": f"Bearer {caller.token}"})
    assert answer.status == 400
    assert answer.json == {"error": {"status": 400, "message": "JSON parse error", "errors": None}}


def test_update_changes_a_bank_account_by_id_and_adds_one_without(caller: Caller, shop: Shop):
    bank = investor()["bank_accounts"][0]
    banks = [
        bank | {"id": shop.bank, "number": "00000009999999"},
        bank | {"number": "777777777", "primary_account": False},
    ]
    body = investor(bank_accounts=banks, **{"contact_detail.email": "new@example.com"})
    answer = caller.fp("POST", f"/api/onb/investors/{shop.investor['id']}", body)
    assert [b["number"] for b in answer.json["bank_accounts"]] == ["00000009999999", "777777777"]
    assert answer.json["bank_accounts"][0]["id"] == shop.bank
    assert answer.json["contact_detail"]["email"] == "new@example.com"
    stolen = investor(bank_accounts=[bank | {"id": shop.bank + 99}])
    assert caller.fp("POST", f"/api/onb/investors/{shop.investor['id']}", stolen).status == 400


def test_search_by_pan_email_name_ids_and_bank_accounts(caller: Caller, shop: Shop):
    Shop(caller, **{"kyc_identity_detail.pan_number": "BNBPP9384M", "kyc_identity_detail.name": "Asha Rao"})
    found = lambda query: [i["id"] for i in caller.fp("GET", f"/api/onb/investors/search?{query}").json["investors"]]  # noqa: E731
    me = shop.investor["id"]
    assert found("query=AFZPN3001P") == found("query=soprano") == found(f"ids={me}") == [me]
    assert found(f"bank_account_ids={shop.bank}") == [me]
    assert found("query=asha") == [me + 1]
    assert found("query=mfp@example.com") == [me, me + 1]
    assert found("query=nobody") == found("query=_") == found("query=%25") == []


def test_lists_are_paged_and_a_size_over_100_is_refused(caller: Caller, shop: Shop):
    page = caller.fp("GET", "/api/onb/investors?page=0&size=1").json
    assert (page["total_elements"], page["size"], page["number"], page["first"], page["last"]) == (1, 1, 0, True, True)
    assert "size" in caller.fp("GET", "/api/onb/investors?size=101").fields()
    assert "page" in caller.fp("GET", "/api/onb/investors?page=-1").fields()


def test_accounts_are_big_numbers_and_listed_by_investor(caller: Caller, shop: Shop):
    assert shop.account > 2**53
    listed = caller.fp("GET", f"/api/oms/investment_accounts?investor_id={shop.investor['id']}").json["data"]
    assert listed == [
        {
            "primary_investor_id": shop.investor["id"],
            "secondary_investor_id": None,
            "investment_account_id": shop.account,
        }
    ]
    assert (
        "primary_investor_id" in caller.fp("POST", "/api/oms/investment_accounts", {"primary_investor_id": 99}).fields()
    )


@pytest.mark.parametrize("place", ["kyc_identity_detail.signature", "bank_accounts[0].cancelled_cheque"])
def test_a_file_that_nobody_uploaded_is_refused_where_it_is_named(caller: Caller, place: str):
    body = investor(**{place.replace("[0]", ".0"): "3867a9c6-8a7c-4605-a31d-98367e8972b5"})
    refusal = {place: "is not an uploaded file"}
    assert caller.fp("POST", "/api/onb/investors", body).fields() == refusal
    made = caller.fp("POST", "/api/onb/investors", investor()).json["id"]
    assert caller.fp("POST", f"/api/onb/investors/{made}", body).fields() == refusal


def test_bse_wants_a_signature_and_a_cheque(caller: Caller):
    bse = Caller(caller.url, "sandbox-bse")
    bare = investor(**{"kyc_identity_detail.signature": None, "bank_accounts.0.cancelled_cheque": None})
    key = bse.fp("POST", "/api/onb/investors", bare).json["id"]
    fields = bse.fp("POST", "/api/oms/investment_accounts", {"primary_investor_id": key}).fields()
    assert set(fields) == {"kyc_identity_detail.signature", "bank_accounts.cancelled_cheque"}
