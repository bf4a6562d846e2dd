"""A caller that uses requests-oauthlib as its documentation says. CA: `verify` of requests."""

import json
import os

from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

env = os.environ
scope = env["SCOPE"].split() if env.get("SCOPE") else None
session = OAuth2Session(client=BackendApplicationClient(client_id=env["CLIENT_ID"], scope=scope))
proof = (
    {"client_id": env["CLIENT_ID"], "client_secret": env["CLIENT_SECRET"], "include_client_id": True}
    if env.get("AUTH") == "post"
    else {"auth": HTTPBasicAuth(env["CLIENT_ID"], env["CLIENT_SECRET"])}
)
token = session.fetch_token(env["TOKEN_ENDPOINT"], resource=env["RESOURCE"], verify=env["CA_FILE"], **proof)
answer = session.get(env["API_URL"], verify=env["CA_FILE"])
print(
    json.dumps(
        {
            "token_type": token["token_type"],
            "scope": " ".join(token["scope"]),
            "expires_in": token["expires_in"],
            "status": answer.status_code,
        }
    )
)
