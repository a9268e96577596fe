"""What writes take: DRF serializers that know every name they are sent, or refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

_RUPEES = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?")
_UNITS = re.compile(r"[0-9]{1,15}(\.[0-9]{1,3})?")


class Body(serializers.Serializer[Any]):
    """A body whose every name is known: an unknown one is refused, so nothing is taken silently."""

    def to_internal_value(self, data: Any) -> Any:
        """The checked values. Raises ValidationError that names unknown fields too."""
        if isinstance(data, Mapping):
            unknown = {str(name): ["There is no such field."] for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class AmountField(serializers.Field[Decimal, str, str, Any]):
    """Rupees as a string: `"5000.00"`. A number is refused, because many languages read it as a float."""

    pattern, words = _RUPEES, 'Rupees as a string with at most two decimals, like "5000.00".'

    def to_internal_value(self, data: Any) -> Decimal:
        """The amount."""
        if not isinstance(data, str) or not self.pattern.fullmatch(data):
            raise serializers.ValidationError(self.words)
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        """The string again."""
        return str(value)


class UnitsField(AmountField):
    """Units as a string with at most three decimals."""

    pattern, words = _UNITS, 'Units as a string with at most three decimals, like "48.123".'


class TextField(serializers.CharField):
    """Text that is a string: DRF takes numbers as well, which are somebody's mistake."""

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            raise serializers.ValidationError("A string.")
        return str(super().to_internal_value(data))


class WholeField(serializers.IntegerField):
    """A whole number that is a number."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("A whole number.")
        return int(super().to_internal_value(data))


class YesField(serializers.BooleanField):
    """true or false, and nothing that only resembles them."""

    def to_internal_value(self, data: Any) -> bool:
        """The boolean."""
        if not isinstance(data, bool):
            raise serializers.ValidationError("true or false.")
        return data


class DayField(serializers.DateField):
    """A day as a string."""

    def to_internal_value(self, value: Any) -> Any:
        """The day."""
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            raise serializers.ValidationError("A date like 2026-11-20.")
        return super().to_internal_value(value)
