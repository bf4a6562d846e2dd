#!/usr/bin/env node
// Who may see what of a record: three machines, three tokens, each good for a minute and for what its machine does.
import { decodeJwt } from '../stage/decode-jwt.mjs';
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { documents, RECORDS, ROUTES } from './documents.mjs';

/** What each may do; anything else is refused. */
const MAY = {
  ehr: ['POST /observations', 'GET /observations'],
  laboratory: ['POST /observations'],
  insurer: ['GET /claims'],
};

await tell(documents(), async (scene) => {
  const api = await step('the records API is up', 'node records-api.mjs &', () =>
    scene.serve('health/records-api.mjs'),
  );

  for (const [identity, allowed] of Object.entries(MAY)) {
    const client = scene.clientOf(identity);
    const call = async (route) => {
      const [method, path] = route.split(' ');
      return await client.fetch(`${api}${path}`, { method }, { resource: RECORDS });
    };
    await step(`${identity} may: ${allowed.join(', ')}`, `${identity}.fetch(records)`, async () => {
      for (const route of allowed) {
        const { status } = await call(route);
        expect(`200 for ${route}`, status === 200, `${status}`);
      }
    });
    const others = Object.keys(ROUTES).filter((route) => !allowed.includes(route));
    await step('and nothing else: 403 insufficient_scope', `${identity}.fetch(records)`, async () => {
      for (const route of others) {
        const answer = await call(route);
        const challenge = answer.headers.get('www-authenticate') ?? '';
        expect(
          `403 for ${route}`,
          answer.status === 403 && /insufficient_scope/.test(challenge),
          `${answer.status}`,
        );
      }
    });
    await step(
      'it asks for more and is given what it holds, for a minute',
      `${identity}.token()`,
      async () => {
        const scope = 'system/Observation.c system/Observation.r system/Claim.r';
        const { accessToken, scope: held } = await client.token({ resource: RECORDS, scope });
        const wanted = new Set(allowed.map((route) => ROUTES[route].scope));
        expect('the scopes of its access', held.split(' ').length === wanted.size, held);
        const { iat, exp } = decodeJwt(accessToken);
        expect('60 seconds', exp - iat === 60, `${exp - iat}`);
      },
    );
    await client.close();
  }

  const end = ['identities', 'suspend', 'insurer', '--reason', 'contract ended', '--yes'];
  await step('the contract with the insurer ends', `npx --no -- countersign ${end.join(' ')}`, async () => {
    const { code, out, err } = await scene.countersign(...end);
    expect('suspended', code === 0, err || out);
    const insurer = scene.clientOf('insurer');
    const refusal = await insurer.token({ resource: RECORDS }).catch((error) => error);
    expect('invalid_client', refusal.error === 'invalid_client', String(refusal.message ?? 'a token'));
    await insurer.close();
  });
});
