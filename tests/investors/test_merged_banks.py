"""Banks that became part of another one: an old IFSC is known as one, the new one offered, its meaning said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from investors import gateway, merged_banks
from investors.models import BankAccount, Mandate
from investors.operations import mandates
from portal import clock
from portal.errors import InvalidInput
from portal.sandbox import places
from tests import factories
from tests.investors.applying import step_url, type_everything, type_in

OLD, NEW = "SYNB0000047", "CNRB0010047"
WITHOUT_A_RULE = "ANDB0001082"
look = reverse("investors:look_up", args=["ifsc"])


def test_banks_that_are_part_of_another_one_have_no_branches_left_and_the_other_one_has():
    for code in merged_banks.old():
        merged = merged_banks.of(code)
        assert places.bank_names()[code], "a bank that there was"
        assert len(places._branches().get(code, ())) <= 1
        assert len(places._branches()[merged.became]) > 300
        assert merged.last_day is None or merged.last_day > merged.merged_on


def test_syndicate_banks_branches_are_canaras_plus_ten_thousand():
    merged = merged_banks.of(OLD)
    assert merged.new_code(OLD) == NEW
    assert merged.merged_on == date(2020, 4, 1)
    assert merged.new_code("SYNB000RTGS") == "", "nothing follows from letters"
    assert merged_banks.of(WITHOUT_A_RULE).new_code(WITHOUT_A_RULE) == "", "nothing is guessed"
    assert merged_banks.of("HDFC0000001") is None


@pytest.mark.django_db
def test_the_new_code_is_offered_only_if_there_is_such_a_branch(sandbox):
    with pytest.raises(gateway.OldCode, match=f"Canara Bank since 1 Apr 2020.*30 Jun 2021.*now {NEW}") as offered:
        gateway.find_branch(OLD)
    assert offered.value.instead == NEW
    with pytest.raises(gateway.OldCode, match="begins with CNRB now") as nothing:
        gateway.find_branch("SYNB0009999")
    assert nothing.value.instead == ""
    with pytest.raises(gateway.OldCode, match="Union Bank of India"):
        gateway.find_branch(WITHOUT_A_RULE)


@pytest.mark.django_db
def test_an_old_code_is_answered_while_it_is_typed_and_when_the_step_is_saved(client_for, sandbox):
    browser = client_for(factories.UserFactory(mobile=""))
    type_everything(browser, upto="bank")
    typed = browser.get(look, {"ifsc": OLD}).content.decode()
    assert f'data-value="{NEW}"' in typed
    refused = type_in(browser, "bank", ifsc=OLD)
    assert NEW in str(refused.context["form"].errors["ifsc"])
    assert f'data-value="{NEW}"' in refused.content.decode(), "the button is beside the error as well"
    assert not BankAccount.objects.exists()
    assert type_in(browser, "bank", ifsc=NEW)["Location"] == step_url("review")


@pytest.mark.django_db
def test_an_account_with_an_old_code_says_what_that_means_and_takes_no_mandate(asha, client_for):
    account = asha.bankaccounts.get()
    BankAccount.objects.filter(pk=account.pk).update(ifsc=OLD)
    scheme = factories.HoldingFactory(investor=asha).scheme
    for address in (reverse("investors:banks"), reverse("orders:sell", args=[scheme.isin])):
        page = client_for(asha).get(address).content.decode()
        assert "may come back" in page, address
        assert "Canara Bank since 1 Apr 2020" in page
    page = client_for(asha).get(reverse("investors:mandate_new")).content.decode()
    assert "A bank rejects a mandate on the old IFSC" in page
    assert 'name="limit"' not in page, "no other account is left"
    account.refresh_from_db()
    with pytest.raises(InvalidInput, match="Add the account again"):
        mandates.prepare(
            investor=asha, bank_account=account, kind=Mandate.Kind.E_MANDATE, limit=Decimal(5000), at=clock.now()
        )


@pytest.mark.django_db
def test_an_approved_mandate_on_an_old_code_says_that_its_debits_may_be_refused(asha, client_for):
    mandate = factories.MandateFactory(bank_account=asha.bankaccounts.get())
    addresses = [reverse("investors:mandates"), reverse("investors:mandate", args=[mandate.code])]
    for address in addresses:
        assert "At risk" not in client_for(asha).get(address).content.decode(), address
    BankAccount.objects.filter(pk=mandate.bank_account_id).update(ifsc=OLD)
    for address in addresses:
        assert "At risk" in client_for(asha).get(address).content.decode(), address
    assert "Debits on the old IFSC may be refused" in client_for(asha).get(addresses[1]).content.decode()
