import type { Tell } from '../../registry/change-rules.ts';
import { changePerson, createPerson } from '../../registry/directory/person.ts';
import { changeTeam, createTeam } from '../../registry/directory/team.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { settleStatus } from '../../registry/owner/departure.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import type { DeclaredPerson, DeclaredTeam } from './declared.ts';

/** Who may apply documents need not be who may say that somebody left. */
const WRITE = 'people:write';

/** With all that follows when they leave, or come back. */
export async function bringPerson(
  { deps, ceiling }: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredPerson,
): Promise<void> {
  requireWithin(ceiling, [WRITE]);
  const { handle, title: name, email, externalId, status, managerHandle } = declared;
  const record = await stores.people.byHandle(handle);
  if (record === undefined) {
    const asked = { handle, name, email, externalId, status, managerHandle };
    const made = await createPerson(deps, stores, tell, asked);
    await settleStatus(deps, stores, tell, undefined, made);
    return;
  }
  const next = await changePerson(deps, stores, tell, record, {
    name,
    email: email ?? null,
    externalId: externalId ?? null,
    status,
    managerHandle: managerHandle ?? null,
  });
  await settleStatus(deps, stores, tell, record, next);
}

export async function bringTeam(
  { deps, ceiling }: Application,
  stores: Stores,
  tell: Tell,
  { team: name, members, lead, channel }: DeclaredTeam,
): Promise<void> {
  requireWithin(ceiling, [WRITE]);
  const record = await stores.teams.byName(name);
  if (record === undefined) await createTeam(deps, stores, tell, { name, members, lead, channel });
  else {
    await changeTeam(deps, stores, tell, record, {
      members,
      lead: lead ?? null,
      channel: channel ?? null,
    });
  }
}
