import type { IssuerKind } from './issuer-kind.ts';

/** One issuer for every repository there is. A token is made for one request of a job and lives for minutes. */
export const githubActions: IssuerKind = {
  pins: ['repository_id', 'repository_owner_id'],
  maxTokenAge: 900,
  singleUse: true,
};
