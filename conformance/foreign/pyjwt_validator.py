"""PyJWT with its own JWKS client, as its documentation says. CA: an SSL context."""

import json
import os
import ssl

import jwt

env = os.environ
keys = jwt.PyJWKClient(env["JWKS_URI"], ssl_context=ssl.create_default_context(cafile=env["CA_FILE"]))
key = keys.get_signing_key_from_jwt(env["TOKEN"])
claims = jwt.decode(
    env["TOKEN"],
    key.key,
    algorithms=[env.get("ALG", "ES256")],
    audience=env["RESOURCE"],
    issuer=env["ISSUER"],
    options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
)
print(json.dumps(claims))
