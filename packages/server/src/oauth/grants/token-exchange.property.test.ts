// Token exchange (RFC 8693 §5): whatever is exchanged for whatever, nothing gets wider.
import { TOKEN_EXCHANGE } from '@countersign/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addParty, claimsOf, type Party, scopesOf, TOKEN } from '../../../test/exchange-scene.ts';
import { jsonOf, NOW, openTokenScene } from '../../../test/token-scene.ts';
import { accessRecord, resourceServerRecord } from '../../storage/contract/records.ts';
import { MAX_ACTORS } from './token-exchange.ts';

const APIS = [0, 1, 2];
const SCOPES = ['a', 'b', 'c'];
const held = fc.subarray(SCOPES, { minLength: 1 });
const step = fc.record({
  /** Who exchanges: usually who stands for the API that the last token is for. */
  rightful: fc.boolean(),
  by: fc.constantFrom(...APIS),
  to: fc.constantFrom(...APIS),
  scopes: fc.option(held),
  afterMs: fc.integer({ min: 0, max: 90_000 }),
});
/** What the caller and the three APIs hold at each of the three. */
const world = fc.array(fc.array(held, { minLength: 3, maxLength: 3 }), { minLength: 4, maxLength: 4 });

interface Claims {
  readonly sub: string;
  readonly client_id: string;
  readonly aud: string;
  readonly scope: string;
  readonly exp: number;
  readonly act?: { readonly sub: string };
}

it('a row of exchanges never widens scope, audience or life, and keeps its subject', async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(world, fc.array(step, { minLength: 1, maxLength: 7 }), async (holds, steps) => {
      const scene = await openTokenScene();
      try {
        const { storage } = scene;
        const servers = APIS.map((i) =>
          resourceServerRecord({
            identifier: `https://${i}.test`,
            scopes: scopesOf(...SCOPES, 'tokens:exchange'),
          }),
        );
        for (const server of servers) await storage.resourceServers.insert(server);
        const parties: Party[] = [];
        for (const name of ['caller', ...APIS.map((i) => `api-${i}`)])
          parties.push(await addParty(scene, name));
        for (const [who, party] of parties.entries()) {
          for (const [i, server] of servers.entries()) {
            const stands = who === i + 1 ? ['tokens:exchange'] : [];
            const scopes = [...(holds[who]?.[i] ?? []), ...stands];
            await storage.access.insert(accessRecord(party.identity.id, server.id, { scopes }));
          }
        }
        const of = (clientId: string, aud: string): readonly string[] => {
          const who = parties.findIndex(({ identity }) => identity.clientId === clientId);
          return holds[who]?.[servers.findIndex(({ identifier }) => identifier === aud)] ?? [];
        };

        const [caller, ...apis] = parties;
        const first = await scene.ask('resource=https://0.test', {
          authorization: caller?.authorization ?? null,
        });
        let token: string = jsonOf(first).access_token;
        const row: Claims[] = [claimsOf(token)];
        let now = NOW;
        for (const { rightful, by, to, scopes, afterMs } of steps) {
          scene.clock.set((now += afterMs));
          const last = row[row.length - 1] as Claims;
          const who = rightful ? servers.findIndex(({ identifier }) => identifier === last.aud) : by;
          const body = new URLSearchParams({
            grant_type: TOKEN_EXCHANGE,
            subject_token: token,
            subject_token_type: TOKEN,
            resource: `https://${to}.test`,
            ...(scopes === null ? {} : { scope: scopes.join(' ') }),
          }).toString();
          const answer = await scene.ask('', { authorization: apis[who]?.authorization ?? '', body });
          expect([200, 400]).toContain(answer.status);
          if (answer.status !== 200) continue;
          made++;
          token = jsonOf(answer).access_token;
          const claims: Claims = claimsOf(token);
          const opened = claims.scope.split(' ');
          expect(last.aud).toBe(`https://${who}.test`);
          expect(claims).toMatchObject({
            sub: 'caller',
            client_id: `api-${who}`,
            act: { sub: `api-${who}` },
          });
          expect(claims.exp).toBeLessThanOrEqual(last.exp);
          for (const bound of [of('caller', claims.aud), of(claims.client_id, claims.aud), scopes ?? SCOPES])
            expect(bound.filter((scope) => opened.includes(scope)).sort()).toEqual([...opened].sort());
          for (const earlier of row.filter(({ aud }) => aud === claims.aud))
            for (const scope of opened) expect(earlier.scope.split(' ')).toContain(scope);
          row.push(claims);
          expect(row.length).toBeLessThanOrEqual(MAX_ACTORS + 1);
        }
        expect(scene.bugs).toEqual([]);
      } finally {
        await scene.close();
      }
    }),
    { numRuns: 60 },
  );
  // The property would hold of a server that refuses everything, too.
  expect(made).toBeGreaterThan(20);
});
