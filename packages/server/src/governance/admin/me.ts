import type { Me } from '@countersign/admin-api';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { cutOffToken } from '../../registry/cut-off.ts';
import { rfc3339 } from '../../registry/views.ts';
import { type Admin, requirePeople } from './admin.ts';
import type { NounHandlers } from './endpoint.ts';

export function meHandlers(deps: RuleDeps): NounHandlers<'me'> {
  return {
    'me.get': {
      kind: 'read',
      run: async ({ admin }) => ({ body: meOf(admin) }),
    },

    'me.sign-out': {
      kind: 'write',
      async run({ admin }, stores, tell) {
        const { jti } = requirePeople(admin);
        const reason = 'signed out';
        const order = await cutOffToken(deps, stores, tell, {
          jti,
          reason,
          orderedBy: admin.actor.identity,
        });
        tell({ type: 'person.signed_out', resource: order.id, reason });
        return { body: { signed_out: true, cutoff: order.id } };
      },
    },
  };
}

function meOf({ actor, scopes, unlimited, person }: Admin): Me {
  const held = [...scopes];
  const common = { scopes: held, own_only: held.filter((scope) => !unlimited.has(scope)) };
  if (person === undefined) {
    return { kind: 'machine', client_id: actor.identity, person: null, ...common };
  }
  return {
    kind: 'person',
    client_id: null,
    person: {
      handle: person.handle,
      issuer: person.issuer,
      subject: person.subject,
      signed_in_at: rfc3339(person.signedInAt),
      expires_at: rfc3339(person.expiresAt),
      roles: [...person.roles],
      teams: [...person.teams],
    },
    ...common,
  };
}
