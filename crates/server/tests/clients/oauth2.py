"""The token service as a standard OAuth2 library sees it (PyPI Authlib): discovery, tokens both ways, keys, introspection, revocation.

    oauth2.py ISSUER CLIENT_ID

The client's secret comes on standard input.
"""

import sys

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import KeySet


def discovered(issuer):
    metadata = requests.get(f"{issuer}/.well-known/oauth-authorization-server", timeout=30).json()
    AuthorizationServerMetadata(metadata).validate_scopes_supported()
    for place in ("issuer", "token_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint"):
        assert metadata[place].startswith(issuer), place
    return metadata


def issued(metadata, client_id, secret, method, **more):
    session = OAuth2Session(client_id, secret, token_endpoint_auth_method=method, **more)
    token = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    assert token["token_type"] == "Bearer" and token["expires_in"] > 0, token
    return session, token


def main(issuer, client_id):
    secret = sys.stdin.readline().strip()
    metadata = discovered(issuer)
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    for method in metadata["token_endpoint_auth_methods_supported"]:
        _, token = issued(metadata, client_id, secret, method)
        read = jwt.decode(token["access_token"], keys, algorithms=["ES256"])
        assert read.header["typ"] == "at+jwt", read.header
        claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": metadata["issuer"]},
            exp={"essential": True},
            aud={"essential": True},
            sub={"essential": True, "value": client_id},
            iat={"essential": True},
            jti={"essential": True},
            client_id={"essential": True, "value": client_id},
        )
        claims.validate(read.claims)
    narrow, token = issued(metadata, client_id, secret, "client_secret_basic", scope="logic:read tenant:read")
    assert sorted(token["scope"].split()) == ["logic:read", "tenant:read"], token

    ask = lambda: narrow.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
    assert ask()["active"] is True and ask()["client_id"] == client_id
    ended = narrow.revoke_token(metadata["revocation_endpoint"], token=token["access_token"])
    assert ended.status_code == 200, ended.text
    assert ask() == {"active": False}

    for wrong in (dict(client_secret="wrong"), dict(scope="nonsense")):
        given = {"client_id": client_id, "client_secret": secret, **wrong}
        try:
            OAuth2Session(**given).fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        except OAuthError as refusal:
            assert refusal.error in ("invalid_client", "invalid_scope"), refusal.error
        else:
            raise AssertionError(f"{wrong} was let through")


if __name__ == "__main__":
    main(*sys.argv[1:])
