import type { BodyOf } from '@countersign/admin-api';
import type { PeopleSettings } from '../../storage/trusted-issuers.ts';

type Given = NonNullable<BodyOf<'trusted-issuers.create'>['people']>;
type Patch = NonNullable<BodyOf<'trusted-issuers.patch'>['people']>;

export function peopleOf(given: Given): PeopleSettings {
  return {
    clientId: given.client_id,
    consoleClientId: given.console_client_id,
    scope: given.scope,
    handleClaim: given.handle_claim,
    groupsClaim: given.groups_claim,
    sessionLifetime: given.session_lifetime,
    roles: given.roles,
    teams: given.teams,
  };
}

/** Merge patch (RFC 7396 §2): absent stays, null removes. */
export function mergedPeople(
  settings: PeopleSettings | undefined,
  patch: Patch | undefined,
): PeopleSettings | undefined {
  if (settings === undefined || patch === undefined) return undefined;
  const { console_client_id: consoleName } = patch;
  return {
    clientId: patch.client_id ?? settings.clientId,
    consoleClientId: consoleName === undefined ? settings.consoleClientId : (consoleName ?? undefined),
    scope: patch.scope ?? settings.scope,
    handleClaim: patch.handle_claim ?? settings.handleClaim,
    groupsClaim: patch.groups_claim ?? settings.groupsClaim,
    sessionLifetime: patch.session_lifetime ?? settings.sessionLifetime,
    roles: merged(settings.roles, patch.roles),
    teams: merged(settings.teams, patch.teams) as PeopleSettings['teams'],
  };
}

type Lists = Readonly<Record<string, readonly string[] | undefined>>;

function merged(
  before: Lists,
  patch: Readonly<Record<string, readonly string[] | null | undefined>> = {},
): Lists {
  const after = new Map(Object.entries(before));
  for (const [name, groups] of Object.entries(patch)) {
    if (groups === null) after.delete(name);
    else if (groups !== undefined) after.set(name, groups);
  }
  return Object.fromEntries(after);
}
