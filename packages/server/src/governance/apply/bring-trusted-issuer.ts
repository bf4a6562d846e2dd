import type { Tell } from '../../registry/change-rules.ts';
import { ISSUER_KINDS } from '../../registry/federation-rule.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { changeTrustedIssuer, createTrustedIssuer } from '../../registry/trusted-issuer.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import type { DeclaredTrustedIssuer } from './declared.ts';

/** Who may apply documents need not be who may say which tokens are believed. */
const WRITE = 'trusted-issuers:write';

export async function bringTrustedIssuer(
  { deps, ceiling, actor }: Application,
  stores: Stores,
  tell: Tell,
  { issuer, title: name, settings }: DeclaredTrustedIssuer,
): Promise<void> {
  requireWithin(ceiling, [WRITE]);
  const by = { ceiling, person: actor.person };
  const record = await stores.trustedIssuers.byIssuer(issuer);
  if (record === undefined) {
    await createTrustedIssuer(deps, stores, tell, by, { issuer, name, ...settings });
    return;
  }
  if (record.kind !== settings.kind) {
    throw new RegistryRefusal('illegal_transition', `it is of kind ${record.kind}, which does not change`, {
      pointer: '/kind',
    });
  }
  const kind = ISSUER_KINDS[record.kind];
  await changeTrustedIssuer(deps, stores, tell, by, record, {
    name,
    keys: settings.keys,
    ca: settings.ca ?? null,
    algorithms: settings.algorithms,
    audience: settings.audience ?? null,
    maxTokenAge: settings.maxTokenAge ?? kind.maxTokenAge,
    singleUse: settings.singleUse ?? kind.singleUse,
    people: settings.people,
    // Nobody signs in through one that is suspended, so nobody but the host can bring it back.
    ...(record.kind === 'people' && ceiling === undefined ? { state: 'active' as const } : {}),
  });
}
