"""A caller that uses requests-oauth2client as its documentation says: discovery, token, introspection, revocation."""

import json
import os

import requests
from requests_oauth2client import ClientSecretBasic, ClientSecretPost, OAuth2Client, PrivateKeyJwt

env = os.environ
session = requests.Session()
session.verify = env["CA_FILE"]
name = env["CLIENT_ID"]
methods = {
    "client_secret_basic": lambda: ClientSecretBasic(name, env["CLIENT_SECRET"]),
    "client_secret_post": lambda: ClientSecretPost(name, env["CLIENT_SECRET"]),
    # Left out, the audience is the address that the request goes to.
    "private_key_jwt": lambda: PrivateKeyJwt(
        name, {"kid": "its own", **json.loads(env["PRIVATE_JWK"])}, aud=env.get("AUDIENCE")
    ),
}
client = OAuth2Client.from_discovery_endpoint(
    f"{env['ISSUER']}/.well-known/oauth-authorization-server",
    issuer=env["ISSUER"],
    auth=methods[env.get("AUTH", "client_secret_basic")](),
    session=session,
    dpop_bound_access_tokens=env.get("DPOP") == "yes",
)
token = client.client_credentials(scope=env["SCOPE"], resource=env["RESOURCE"])
answer = session.get(env["API_URL"], auth=token)
result = {
    "token_type": token.token_type,
    "scope": token.scope,
    "expires_in": token.expires_in,
    "status": answer.status_code,
}
if env.get("ABOUT") == "yes":
    result["before"] = client.introspect_token(token)
    client.revoke_access_token(token)
    result["after"] = client.introspect_token(token)
print(json.dumps(result))
