import type { PersonRecord, PersonStore } from '../../storage/people.ts';
import type { PersonStatus } from '../people.ts';
import type { SignedInPerson } from '../signed-in-person.ts';

type Reading = Pick<PersonStore, 'byHandle' | 'byEmail' | 'byExternalId'>;

/** What the directory has of a person who signed in, by any of the names that it knows them under. */
export async function entriesOf(
  people: Reading,
  { handle, subject }: Pick<SignedInPerson, 'handle' | 'subject'>,
): Promise<readonly PersonRecord[]> {
  const found = [
    await people.byHandle(handle),
    await people.byEmail(handle),
    await people.byExternalId(subject),
  ];
  return found.filter((person) => person !== undefined);
}

/** Whoever has left by any of its names may do nothing any more, however long its sign-in would last. */
export function statusInDirectory(people: Reading): PersonStatus {
  return async (person) =>
    (await entriesOf(people, person)).some(({ status }) => status === 'left') ? 'left' : 'active';
}
