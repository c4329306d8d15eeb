"""Tidegate as a client sees it that has nothing but the schema's text and HTTP: each query is validated before it is sent."""

import json
import urllib.error
import urllib.request

from graphql import build_schema, parse, validate

from story import KINDS, Refused

SYSTEM_AUTH = "id type referenceObjectId auth { credential { ... on OAuthCredentialData { clientId clientSecret url } } }"
SYSTEM = "id name description"
APPLICATION = "id name integrationSystemID"
PAGE = "pageInfo { startCursor endCursor hasNextPage } totalCount"


class Client:
    """The operations of the story, as the administrator or another client."""

    def __init__(self, url, sdl, schema=None, access_token=None):
        self.url, self.sdl, self.access_token = url, sdl, access_token
        self.schema = schema or build_schema(open(sdl, encoding="utf-8").read())

    def signed_in(self, access_token):
        return Client(self.url, self.sdl, self.schema, access_token)

    def call(self, query, tenant=None, /, **variables):
        document = parse(query)
        faults = validate(self.schema, document)
        assert not faults, f"{query}: {faults}"
        headers = {"Content-Type": "application/json"}
        if self.access_token:
            headers["Authorization"] = f"Bearer {self.access_token}"
        if tenant:
            headers["Tenant"] = tenant
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self.url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            assert error.code == 401, error
            answer = json.load(error)
            assert answer["errors"][0]["extensions"]["error_code"] == 26, answer
        if answer.get("errors"):
            raise refusal(answer["errors"][0])
        (field,) = answer["data"].values()
        return field

    def what_it_is(self):
        """The schema asks nobody: it is a file."""

    def create_tenant(self, id):
        self.call("mutation($in: TenantInput!) { createTenant(in: $in) { id } }", **{"in": {"id": id, "name": id}})

    def register_system(self, name, description=None):
        query = f"mutation($in: IntegrationSystemInput!) {{ registerIntegrationSystem(in: $in) {{ {SYSTEM} }} }}"
        return system(self.call(query, **{"in": {"name": name, "description": description}}))

    def update_system(self, id, name, description=None):
        query = f"mutation($id: ID!, $in: IntegrationSystemInput!) {{ updateIntegrationSystem(id: $id, in: $in) {{ {SYSTEM} }} }}"
        return system(self.call(query, id=id, **{"in": {"name": name, "description": description}}))

    def unregister_system(self, id):
        query = f"mutation($id: ID!) {{ unregisterIntegrationSystem(id: $id) {{ {SYSTEM} }} }}"
        return system(self.call(query, id=id))

    def system(self, id):
        query = f"query($id: ID!) {{ integrationSystem(id: $id) {{ {SYSTEM} auths {{ {SYSTEM_AUTH} }} }} }}"
        found = self.call(query, id=id)
        return system(found) if found else None

    def systems(self, first=None, after=None):
        query = f"query($first: Int, $after: PageCursor) {{ integrationSystems(first: $first, after: $after) {{ data {{ {SYSTEM} }} {PAGE} }} }}"
        answer = self.call(query, **{k: v for k, v in {"first": first, "after": after}.items() if v is not None})
        info = answer["pageInfo"]
        page = (info["startCursor"], info["endCursor"], info["hasNextPage"])
        return [system(one) for one in answer["data"]], page, answer["totalCount"]

    def request_credentials(self, id):
        query = f"mutation($id: ID!) {{ requestClientCredentialsForIntegrationSystem(id: $id) {{ {SYSTEM_AUTH} }} }}"
        return system_auth(self.call(query, id=id))

    def delete_credentials(self, id):
        query = f"mutation($id: ID!) {{ deleteSystemAuthForIntegrationSystem(id: $id) {{ {SYSTEM_AUTH} }} }}"
        return system_auth(self.call(query, id=id))

    def register_application(self, tenant, name, system_id=None):
        query = f"mutation($in: ApplicationInput!) {{ registerApplication(in: $in) {{ {APPLICATION} }} }}"
        return application(self.call(query, tenant, **{"in": {"name": name, "integrationSystemID": system_id}}))

    def update_application(self, tenant, id, name):
        query = f"mutation($id: ID!, $in: ApplicationInput!) {{ updateApplication(id: $id, in: $in) {{ {APPLICATION} }} }}"
        return application(self.call(query, tenant, id=id, **{"in": {"name": name}}))

    def unregister_application(self, tenant, id):
        query = f"mutation($id: ID!) {{ unregisterApplication(id: $id) {{ {APPLICATION} }} }}"
        return application(self.call(query, tenant, id=id))

    def application(self, tenant, id):
        found = self.call(f"query($id: ID!) {{ application(id: $id) {{ {APPLICATION} }} }}", tenant, id=id)
        return application(found) if found else None

    def applications(self, tenant, after=None):
        query = f"query($after: PageCursor) {{ applications(after: $after) {{ data {{ {APPLICATION} }} {PAGE} }} }}"
        return [application(one) for one in self.call(query, tenant, after=after)["data"]]

    def request_application_credentials(self, tenant, id):
        query = f"mutation($id: ID!) {{ requestClientCredentialsForApplication(id: $id) {{ {SYSTEM_AUTH} }} }}"
        return system_auth(self.call(query, tenant, id=id))


def refusal(error):
    """An error and its extensions, which have to agree."""
    number = error["extensions"]["error_code"]
    assert error["extensions"]["error"] == KINDS[number][0], error
    return Refused(number, error["message"])


def system(found):
    auths = [system_auth(auth) for auth in found.get("auths", [])]
    return {"id": found["id"], "name": found["name"], "description": found["description"], "auths": auths}


def system_auth(found):
    data = found["auth"]["credential"]
    return {
        "id": found["id"],
        "client_id": data["clientId"],
        "client_secret": data["clientSecret"],
        "url": data["url"],
        "type": found["type"],
        "reference": found["referenceObjectId"],
    }


def application(found):
    return {"id": found["id"], "name": found["name"], "system": found["integrationSystemID"]}
