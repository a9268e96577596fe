"""Signatures of webhooks: the Standard Webhooks specification, with its own published example."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from portal.webhooks import signing

# The example of the specification's reference implementations: the same in every language.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def verify(**other):
    given = {"event_id": ID, "timestamp": str(AT), "signature": SIGNED, "body": BODY, "secret": SECRET, "now": AT}
    signing.verify(**{**given, **other})


def test_signs_the_published_example_as_everybody_does():
    made = signing.headers(event_id=ID, body=BODY, sent_at=AT, secrets_=[SECRET])
    assert made == {"webhook-id": ID, "webhook-timestamp": str(AT), "webhook-signature": SIGNED}
    verify()


def test_a_fresh_secret_is_32_random_bytes():
    one, other = signing.new_secret(), signing.new_secret()
    assert one != other
    assert len(base64.b64decode(one.removeprefix("whsec_"))) == 32


def test_during_a_rotation_either_secret_verifies():
    new = signing.new_secret()
    made = signing.headers(event_id=ID, body=BODY, sent_at=AT, secrets_=[new, SECRET])["webhook-signature"]
    assert made.endswith(SIGNED)
    for secret in (new, SECRET):
        verify(signature=made, secret=secret)
    with pytest.raises(signing.NotSigned, match="No signature fits"):
        verify(signature=made, secret=signing.new_secret())


@pytest.mark.parametrize("place", range(len(BODY)))
def test_one_changed_byte_of_the_body_is_noticed(place):
    changed = bytearray(BODY)
    changed[place] ^= 1
    with pytest.raises(signing.NotSigned, match="No signature fits"):
        verify(body=bytes(changed))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"event_id": "msg_other"}, "No signature fits"),
        ({"timestamp": str(AT + 1)}, "No signature fits"),
        ({"timestamp": "yesterday"}, "not a whole number"),
        ({"timestamp": "٣"}, "not a whole number"),
        ({"signature": ""}, "missing"),
        ({"signature": SIGNED.replace("v1,", "v2,")}, "no signature of version v1"),
        ({"signature": "v1"}, "No signature fits"),
        ({"signature": "v1,ünïcode"}, "No signature fits"),
        ({"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "not whsec_"),
        ({"secret": "whsec_%%%"}, "not whsec_"),
        ({"now": AT + 301}, "more than five minutes"),
        ({"now": AT - 301}, "more than five minutes"),
    ],
)
def test_says_what_is_wrong_with_a_message(wrong, words):
    with pytest.raises(signing.NotSigned, match=words):
        verify(**wrong)


def test_the_key_is_the_decoded_secret_and_not_its_text():
    """The mistake that most receivers make first."""
    as_text = base64.b64encode(hmac.new(SECRET.encode(), f"{ID}.{AT}.".encode() + BODY, hashlib.sha256).digest())
    with pytest.raises(signing.NotSigned, match="No signature fits"):
        verify(signature=f"v1,{as_text.decode()}")
