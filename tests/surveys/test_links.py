"""Links: secret, stable, bound to their purpose."""

import re
from uuid import UUID, uuid4

from django.test import override_settings

from surveys import links

NUMBER = UUID("11111111-2222-4333-8444-555555555555")


def test_token_is_the_same_each_time_and_43_characters_of_base64url():
    token = links.survey_token(NUMBER)
    assert token == links.survey_token(NUMBER)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)


def test_survey_and_opt_out_tokens_of_one_invitation_differ():
    assert links.survey_token(NUMBER) != links.opt_out_token(NUMBER)


def test_tokens_of_many_invitations_share_nothing():
    tokens = {links.survey_token(uuid4()) for _ in range(500)}
    assert len(tokens) == 500
    assert len({token[:3] for token in tokens}) > 400


@override_settings(SECRET_KEY="another key " * 6)
def test_token_depends_on_the_secret_key():
    other = links.survey_token(NUMBER)
    with override_settings(SECRET_KEY="one more key " * 6):
        assert links.survey_token(NUMBER) != other


def test_database_keeps_a_digest_that_is_not_the_token():
    token = links.survey_token(NUMBER)
    assert re.fullmatch(r"[0-9a-f]{64}", links.digest(token))
    assert token not in links.digest(token)


@override_settings(PUBLIC_BASE_URL="https://cx.bank.example")
def test_addresses_start_with_the_configured_base():
    token = links.survey_token(NUMBER)
    assert links.survey_url(NUMBER) == f"https://cx.bank.example/s/{token}/"
    assert links.opt_out_url(NUMBER) == f"https://cx.bank.example/u/{links.opt_out_token(NUMBER)}/"
    assert links.privacy_url() == "https://cx.bank.example/privacy/"
