"""A caller that uses Authlib as its documentation says. CA: `verify` of requests."""

import json
import os

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import import_key

env = os.environ
jwk = json.loads(env["PRIVATE_JWK"])
session = OAuth2Session(
    env["CLIENT_ID"],
    import_key({name: value for name, value in jwk.items() if name != "alg"}),
    token_endpoint_auth_method="private_key_jwt",
)
# Left out, the audience is the address that the request goes to.
session.register_client_auth_method(PrivateKeyJWT(env.get("AUDIENCE"), alg=jwk["alg"]))
session.verify = env["CA_FILE"]
token = session.fetch_token(
    env["TOKEN_ENDPOINT"],
    grant_type="client_credentials",
    resource=env["RESOURCE"],
    scope=env["SCOPE"],
)
answer = session.get(env["API_URL"])
print(
    json.dumps(
        {
            "token_type": token["token_type"],
            "scope": token["scope"],
            "expires_in": token["expires_in"],
            "status": answer.status_code,
        }
    )
)
