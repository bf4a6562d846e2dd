import { describeKeyClient } from './key-client-suite.ts';

const AUTH = 'private_key_jwt';

// openid-client and oauth4webapi name the issuer as audience, and send neither typ nor kid.
describeKeyClient(
  'openid-client',
  'node',
  ['openid-client.mjs'],
  (['ES256', 'PS256', 'EdDSA'] as const).map((alg) => ({ name: alg, alg, env: () => ({ AUTH }) })),
);

describeKeyClient(
  'oauth4webapi',
  'node',
  ['oauth4webapi.mjs'],
  (['ES256', 'PS256', 'EdDSA'] as const).map((alg) => ({ name: alg, alg, env: () => ({ AUTH }) })),
);

// Authlib names the token endpoint, signs RS256 and takes an hour, unless told.
const issuer = ({ ISSUER }: { readonly ISSUER: string }) => ({ AUDIENCE: ISSUER });
describeKeyClient(
  'Authlib',
  'python',
  ['authlib_client.py'],
  [
    { name: 'ES256, told the issuer', alg: 'ES256', env: issuer },
    { name: 'PS256, told the issuer', alg: 'PS256', env: issuer },
    {
      name: 'as it comes, by a credential that allows both',
      alg: 'RS256',
      terms: { allow_token_endpoint_audience: true, allow_rs256: true },
    },
  ],
);
