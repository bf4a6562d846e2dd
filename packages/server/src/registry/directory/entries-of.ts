import type { PersonRecord, PersonStore } from '../../storage/people.ts';
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
