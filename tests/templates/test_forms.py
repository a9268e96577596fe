"""A field in the look of the house: label, help, error, and what a screen reader is told."""

from __future__ import annotations

import pytest
from django import forms
from django.template.loader import render_to_string


class Details(forms.Form):
    pan = forms.CharField(label="PAN", help_text="Ten characters.", widget=forms.TextInput(attrs={"class": "upper"}))
    nickname = forms.CharField(
        label="Nickname", required=False, widget=forms.TextInput(attrs={"placeholder": "nickname"})
    )
    tax = forms.ChoiceField(
        label="Do you pay tax abroad?", choices=[("n", "No"), ("y", "Yes")], widget=forms.RadioSelect
    )
    agree = forms.BooleanField(label="I agree")
    secret = forms.CharField(widget=forms.HiddenInput)
    amount = forms.DecimalField(label="Amount", widget=forms.TextInput(attrs={"class": "input-money"}))


@pytest.fixture
def empty_answer() -> Details:
    return Details({})


def group(form: forms.Form, name: str) -> str:
    return " ".join(form[name].as_field_group().split())


def test_an_error_stands_at_its_field_and_is_announced(empty_answer: Details) -> None:
    html = group(empty_answer, "pan")
    assert '<label class="field-label" for="id_pan">' in html
    assert 'class="input upper"' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_pan_helptext id_pan_error"' in html
    assert 'id="id_pan_helptext"' in html
    assert 'id="id_pan_error"' in html


def test_a_good_field_is_not_marked() -> None:
    html = group(Details({"pan": "ABCDE1234F"}), "pan")
    assert "aria-invalid" not in html
    assert "id_pan_error" not in html


def test_an_optional_field_says_so_and_a_repeated_placeholder_is_dropped() -> None:
    html = group(Details(), "nickname")
    assert "(optional)" in html
    assert "placeholder" not in html


def test_choices_are_a_fieldset_with_a_legend(empty_answer: Details) -> None:
    html = group(empty_answer, "tax")
    assert "<fieldset" in html
    assert "<legend" in html
    assert html.count('type="radio"') == 2
    assert html.count('aria-invalid="true"') == 2


def test_an_amount_carries_the_rupee_sign() -> None:
    assert '<span aria-hidden="true">₹</span>' in group(Details(), "amount")
    assert "₹" not in group(Details(), "pan")


def test_the_summary_links_to_each_bad_field_once(empty_answer: Details) -> None:
    html = render_to_string("components/_form.html", {"form": empty_answer})
    for name in ("pan", "tax", "agree", "amount"):
        assert f'<a href="#{empty_answer[name].id_for_label}">' in html
    assert 'href="#id_nickname"' not in html
    assert 'role="alert"' in html
    assert html.count('name="secret"') == 1


def test_no_summary_without_errors() -> None:
    assert "role" not in render_to_string("components/_form_errors.html", {"form": Details()})
