"""The story of an Integration System, from its registration to its end, told by a client in another language.

    seed_000.py grpc HOST:PORT PROTO_FOLDER TOKEN_URL CLIENT_ID
    seed_000.py graphql URL SCHEMA_FILE TOKEN_URL CLIENT_ID

The administrator's secret comes on standard input. One story for both: whatever one can do, the other can.
"""

import sys

from story import eventually, refused, token


def client(face, place, description):
    if face == "grpc":
        from over_grpc import Client
    else:
        from over_graphql import Client
    return Client(place, description)


def names_field(refusal, field):
    """GraphQL has the field in the text, as its own input spells it."""
    assert refusal.fields == [field] or field.replace("input.", "in.") in refusal.text, (refusal, refusal.fields)


def registering(admin):
    crm = admin.register_system("crm", "manages what sales need")
    assert (crm["name"], crm["description"]) == ("crm", "manages what sales need")
    refused(21, admin.register_system, "crm")
    for name in ("", "9crm", "CRM", "c" * 37, "c_r_m"):
        names_field(refused(22, admin.register_system, name), "input.name")
    names_field(refused(22, admin.register_system, "erp", "x" * 2001), "input.description")
    assert admin.update_system(crm["id"], "crm-2")["description"] is None, "an update replaces both"
    assert admin.update_system(crm["id"], "crm", "again")["name"] == "crm"
    nobody = "00000000-0000-7000-8000-000000000000"
    assert admin.system(nobody) is None
    for change in (admin.unregister_system, admin.request_credentials, admin.delete_credentials):
        refused(20, change, nobody)
    refused(20, admin.update_system, nobody, "erp")
    return crm["id"]


def paging(admin):
    made = [admin.register_system(f"page-{i}")["id"] for i in range(5)]
    seen, after = [], ""
    while True:
        rows, (start, end, more), total = admin.systems(first=2, after=after)
        assert start == after and total == 6 and len(rows) <= 2
        seen += [row["id"] for row in rows]
        assert more == bool(end), "the last page has no end cursor"
        if not more:
            break
        after = end
    assert len(seen) == len(set(seen)) == 6 and set(made) < set(seen), "each once"
    assert len(admin.systems()[0]) == 6
    for first in (0, -1, 101):
        names_field(refused(22, admin.systems, first=first), "first")
    names_field(refused(22, admin.systems, after="forged"), "after")
    names_field(refused(22, admin.applications, "acme", after=admin.systems(first=1)[1][1]), "after")
    for id in made:
        admin.unregister_system(id)


def pairing(admin, system_id, token_url):
    auth, other = admin.request_credentials(system_id), admin.request_credentials(system_id)
    assert auth["id"] == auth["client_id"] != other["id"]
    assert (auth["type"], auth["reference"], auth["url"]) == ("INTEGRATION_SYSTEM", system_id, token_url)
    assert auth["client_secret"] and auth["client_secret"] != other["client_secret"]
    known = admin.system(system_id)["auths"]
    assert [one["id"] for one in known] == [auth["id"], other["id"]]
    assert all(one["client_secret"] is None for one in known), "a secret is told once"
    assert token(auth["url"], auth["client_id"], "wrong") is None
    deleted = admin.delete_credentials(other["id"])
    assert (deleted["id"], deleted["client_secret"]) == (other["id"], None)
    assert token(other["url"], other["client_id"], other["client_secret"]) is None
    return auth


def managing(admin, system, system_id):
    there = {tenant: system.register_application(tenant, "shop", system_id)["id"] for tenant in ("acme", "other")}
    refused(21, system.register_application, "acme", "shop", system_id)
    refused(20, system.register_application, "acme", "other", "00000000-0000-7000-8000-000000000000")
    for tenant, id in there.items():
        assert system.applications(tenant) == [{"id": id, "name": "shop", "system": system_id}]
    assert system.application("acme", there["other"]) is None, "another tenant's is not there"
    refused(20, system.update_application, "acme", there["other"], "stolen")
    refused(20, system.unregister_application, "acme", there["other"])
    assert system.application("other", there["other"])["name"] == "shop"
    refused(24, system.applications, None)
    refused(25, system.applications, "nowhere")
    refused(23, system.request_application_credentials, "acme", there["acme"])
    refused(23, system.request_credentials, system_id)
    refused(23, system.register_system, "erp")
    refused(23, system.create_tenant, "third")
    minted = admin.request_application_credentials("acme", there["acme"])
    refused(20, admin.delete_credentials, minted["id"])
    bound = system.signed_in(token(minted["url"], minted["client_id"], minted["client_secret"]))
    assert [one["id"] for one in bound.applications(None)] == [there["acme"]], "it is bound to its tenant"
    refused(25, bound.applications, "other")
    return there


def ending(admin, system, auth, system_id, there):
    refused(27, admin.unregister_system, system_id)
    assert admin.system(system_id)["auths"], "nothing was changed"
    for tenant, id in there.items():
        assert system.unregister_application(tenant, id)["id"] == id
    assert admin.unregister_system(system_id)["name"] == "crm"
    assert admin.system(system_id) is None
    assert token(auth["url"], auth["client_id"], auth["client_secret"]) is None

    def ended():
        try:
            system.applications("acme")
        except Exception as error:
            return getattr(error, "number", None) == 26
        return False

    eventually("its access token ends with it", ended)


def main(face, place, description, token_url, client_id):
    stranger = client(face, place, description)
    stranger.what_it_is()
    refused(26, stranger.systems)
    refused(26, stranger.signed_in("forged").register_system, "crm")
    admin = stranger.signed_in(token(token_url, client_id, sys.stdin.readline().strip()))
    for tenant in ("acme", "other"):
        admin.create_tenant(tenant)
    system_id = registering(admin)
    paging(admin)
    auth = pairing(admin, system_id, token_url)
    system = stranger.signed_in(token(auth["url"], auth["client_id"], auth["client_secret"]))
    there = managing(admin, system, system_id)
    ending(admin, system, auth, system_id, there)


if __name__ == "__main__":
    main(*sys.argv[1:])
