// hono's jwk middleware in front of one route, with the type of RFC 9068 allowed, or as it comes. CA: NODE_EXTRA_CA_CERTS.
import { Hono } from 'hono';
import { jwk } from 'hono/jwk';

const { TOKEN, JWKS_URI, ISSUER, RESOURCE, ALG, TYP } = process.env;
const app = new Hono();
app.use(
  jwk({
    jwks_uri: JWKS_URI,
    alg: [ALG ?? 'ES256'],
    verification: { iss: ISSUER, aud: RESOURCE, ...(TYP === 'JWT' ? {} : { typ: 'at+jwt' }) },
  }),
);
app.get('/', (context) => context.json(context.get('jwtPayload')));
const answer = await app.request('/', { headers: { authorization: `Bearer ${TOKEN}` } });
if (answer.status !== 200) throw new Error(`${answer.status} ${answer.headers.get('www-authenticate')}`);
console.log(await answer.text());
