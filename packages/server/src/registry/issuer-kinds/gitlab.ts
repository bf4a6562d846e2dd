import type { IssuerKind } from './issuer-kind.ts';

/** One issuer for every project of an instance. A token is made for one job, which may take an hour. */
export const gitlab: IssuerKind = {
  pins: ['project_id', 'namespace_id'],
  maxTokenAge: 3600,
  singleUse: true,
};
