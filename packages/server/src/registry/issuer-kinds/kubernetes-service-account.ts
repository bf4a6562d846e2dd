import type { IssuerKind } from './issuer-kind.ts';

/** A token lies in a file and is used until it is replaced, so it is not taken once only. The uid goes with the account. */
export const kubernetesServiceAccount: IssuerKind = {
  pins: ['/kubernetes.io/namespace', '/kubernetes.io/serviceaccount/uid'],
  maxTokenAge: 3600,
  singleUse: false,
};
