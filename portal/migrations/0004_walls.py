"""Whose rows a connection sees, in the tables that every app leans on.

people                  own row; everybody on the pages where one signs in (scope `door`); nobody's for nobody
sessions                own, and nobody's: keys are as good as passwords; `portal_open` reads one before the scope is known
audit entries           those about a row that the connection sees; signed as this person or partner, in nobody else's name
provider calls          those that were made in the same scope, so that a request can end the call that it began
cases, inbox, desk      operations only
what a partner has      the partner's own
clients and tokens      read where the client is a key of the partner; written by the operations that look after keys
"""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql, policies_sql, without_policies_sql

OF_A_PARTNER = [
    "portal_apikey", "portal_idempotentcall", "portal_apiuse", "portal_partnerevent", "portal_partnerday",
    "portal_webhookendpoint", "portal_webhookdelivery", "portal_webhooktry",
]  # fmt: skip
FOR_STAFF = [
    "portal_case", "portal_inboundevent", "portal_rolechange", "portal_proposal", "portal_secondpersonrule",
    "portal_handling", "portal_bulkrun", "portal_bulkline", "portal_savedlist",
]  # fmt: skip
OF_A_PERSON = ["portal_notice", "portal_delivery", "portal_noticechoice"]

STAFF = "current_setting('portal.scope', true) = 'all'"
DOOR = "current_setting('portal.scope', true) LIKE 'door%'"
MEMBER = f"{STAFF} OR partner_id = portal_scope_partner()"
KEYS = "(SELECT client_id FROM portal_apikey)"
LOGIN = f"{STAFF} OR ({DOOR}) OR user_id = portal_scope_user()"

RULES = {
    "portal_user": {"ALL": f"{STAFF} OR ({DOOR}) OR id = portal_scope_user()"},
    **{name: {"ALL": LOGIN} for name in ["account_emailaddress", "mfa_authenticator", "usersessions_usersession"]},
    "portal_session": {"ALL": f"{STAFF} OR {DOOR} OR user_id IS NULL OR user_id = portal_scope_user()"},
    "portal_auditentry": {
        "SELECT": f"{STAFF} OR (NOT ({DOOR}) AND portal_sees(subject_kind, subject_id))",
        "INSERT": f"""
            (actor NOT LIKE 'user:%' OR actor = 'user:' || portal_scope_user()
                OR (portal_scope_user() IS NULL AND portal_scope_partner() IS NULL))
            AND (actor NOT LIKE 'partner:%' OR {STAFF} OR actor = 'partner:' || portal_scope_partner())
        """,
        "UPDATE": STAFF,
        "DELETE": STAFF,
    },
    "portal_gatewaycall": {"ALL": f"{STAFF} OR written_as = current_setting('portal.scope', true)"},
    **{name: {"ALL": STAFF} for name in FOR_STAFF},
    **{name: {"ALL": MEMBER} for name in OF_A_PARTNER},
    "portal_partnermember": {"ALL": STAFF, "SELECT": f"{MEMBER} OR user_id = portal_scope_user()"},
    "allauth_idp_oidc_client": {"ALL": STAFF, "SELECT": f"{STAFF} OR id IN {KEYS}"},
    "allauth_idp_oidc_token": {"ALL": STAFF, "SELECT": f"{STAFF} OR client_id IN {KEYS}"},
}


class Migration(migrations.Migration):
    replaces = [("portal", "0003_evidence_wall"), ("portal", "0008_session_wall"), ("portal", "0013_partner_wall")]
    dependencies = [("portal", "0003_guards")]
    operations = [
        *[migrations.RunSQL(owner_policy_sql(name, "user_id"), drop_owner_policy_sql(name)) for name in OF_A_PERSON],
        *[
            migrations.RunSQL(policies_sql(name, rule), without_policies_sql(name, rule))
            for name, rule in RULES.items()
        ],
    ]
