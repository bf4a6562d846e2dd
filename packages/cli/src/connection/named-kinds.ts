import type { OperationId } from '@countersign/admin-api';

/** What a command names, and where those are that there are. */
interface Kind {
  readonly noun: string;
  readonly many: string;
  readonly list: OperationId;
  readonly see: string;
  /** What it is called by; the first is what it goes by. */
  readonly names: readonly [string, ...string[]];
}

export type NamedKind = 'IDENTITY' | 'API' | 'ISSUER' | 'PERSON' | 'POLICY' | 'TEAM';

export const KINDS: Readonly<Record<NamedKind, Kind>> = {
  IDENTITY: {
    noun: 'identity',
    many: 'identities',
    list: 'identities.list',
    see: 'countersign identities list',
    names: ['client_id'],
  },
  API: {
    noun: 'API',
    many: 'APIs',
    list: 'resource-servers.list',
    see: 'countersign resource-servers list',
    names: ['identifier', 'name'],
  },
  ISSUER: {
    noun: 'trusted issuer',
    many: 'trusted issuers',
    list: 'trusted-issuers.list',
    see: 'countersign trusted-issuers list',
    names: ['issuer'],
  },
  PERSON: {
    noun: 'person',
    many: 'people',
    list: 'people.list',
    see: 'countersign people list',
    names: ['handle'],
  },
  POLICY: {
    noun: 'policy',
    many: 'policies',
    list: 'policies.list',
    see: 'countersign policies list',
    names: ['id', 'name'],
  },
  TEAM: { noun: 'team', many: 'teams', list: 'teams.list', see: 'countersign teams list', names: ['name'] },
};

export function isNamedKind(word: string): word is NamedKind {
  return Object.hasOwn(KINDS, word);
}

/** How many are looked through for a name that is alike: an estate may have a million. */
export const MOST_LOOKED_AT = 1000;
