"""Callers that use requests-oauthlib and Authlib with a certificate: `cert` of requests, and the client_id in the body."""

import json
import os

env = os.environ
certificate = (env["CERT_FILE"], env["KEY_FILE"])
if env["LIBRARY"] == "authlib":
    from authlib.integrations.requests_client import OAuth2Session

    # It has no name of its own for this method: `none` sends the client_id and nothing else.
    session = OAuth2Session(env["CLIENT_ID"], token_endpoint_auth_method="none", scope=env["SCOPE"])
    session.verify, session.cert = env["CA_FILE"], certificate
    token = session.fetch_token(
        env["TOKEN_ENDPOINT"], grant_type="client_credentials", resource=env["RESOURCE"]
    )
    scope = token["scope"]
else:
    from oauthlib.oauth2 import BackendApplicationClient
    from requests_oauthlib import OAuth2Session

    client = BackendApplicationClient(client_id=env["CLIENT_ID"], scope=env["SCOPE"].split())
    session = OAuth2Session(client=client)
    session.verify, session.cert = env["CA_FILE"], certificate
    token = session.fetch_token(
        env["TOKEN_ENDPOINT"], include_client_id=True, client_secret=None, auth=False,
        resource=env["RESOURCE"], verify=env["CA_FILE"], cert=certificate,
    )
    scope = " ".join(token["scope"])
answer = session.get(env["API_URL"])
print(json.dumps({"token": token["access_token"], "scope": scope, "status": answer.status_code}))
