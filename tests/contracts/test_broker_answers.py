"""Every sample answer of the three brokers as our client reads it: a sample means what its document says.

What becomes of spoilt ones: `test_mutations.py`.
"""

from __future__ import annotations

import pytest

from portal.gateway import errors
from tests.contracts.answers import CALLS, Sample, hears, listening, samples

# Samples that say no, by id; all others are answers.
NOES: dict[str, type[errors.GatewayError]] = dict.fromkeys(
    """create-no-secret create-foreign-token holdings-guest button-invalid-session sync-bad-token token-expired-003
    token-expired place-wrong-key place-wrong-token place-session-over modify-wrong-token modify-wrong-key
    cancel-wrong-key trade-book-session holding-wrong-key holding-session""".split(),
    errors.NotAuthorised,
) | dict.fromkeys(
    """create-without-securities details-unknown place-invalid modify modify-no-order cancel-nothing-named""".split(),
    errors.Refused,
)

ALL = [sample for provider in ("smallcase", "odin", "5paisa") for sample in samples(provider)]


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: f"{sample.provider}-{sample.id}")
def test_a_sample_is_read_as_its_document_means_it(sample: Sample):
    client, call = listening(sample.provider), CALLS[sample.provider, sample.method]
    no = errors.OutcomeUnknown if sample.id == "token-server-003" else NOES.get(sample.id)
    if no is None:
        assert hears(client, call, sample.status, sample.body) is not None
        return
    with pytest.raises(no):
        hears(client, call, sample.status, sample.body)
