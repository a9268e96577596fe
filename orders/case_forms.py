"""What an investor writes to us about something of theirs."""

from __future__ import annotations

from django import forms

from investors.models.cases import LONGEST


class MessageForm(forms.Form):
    """A message in their own words."""

    text = forms.CharField(
        label="Your message",
        min_length=3,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 5}),
        help_text=f"Up to {LONGEST:,} characters. Leave out PAN, account numbers, passwords and codes: what looks like "
        "one is hidden before it is kept.",
        error_messages={
            "required": "Write what you want to tell or ask us.",
            "min_length": "Write a few words more.",
            "max_length": f"Write at most {LONGEST:,} characters; you can send more than one message.",
        },
    )
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)
