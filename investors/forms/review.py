"""The declarations at the end."""

from __future__ import annotations

from typing import Any

from django import forms

from investors.declarations import Declaration


class ReviewForm(forms.Form):
    """One box per declaration."""

    def __init__(self, *args: Any, texts: tuple[Declaration, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in texts:
            self.fields[each.slug] = forms.BooleanField(
                label=each.text, error_messages={"required": "Please read this and tick it."}
            )

    @property
    def agreed(self) -> set[str]:
        """The slugs of what was ticked."""
        return {name for name in self.fields if self.cleaned_data.get(name)}
