// The projected token of a Kubernetes service account: RFC 7523 §2.1.
import { subjectTokenFile } from './file.ts';
import type { SubjectTokenSource } from './source.ts';

/** Not where the pod's own token for the API server lies: that one is good for the cluster and is not shown to others. */
const PROJECTED = '/var/run/secrets/countersign/token';

/**
 * The token of a projected volume whose `audience` is the issuer of the authority.
 * `path` defaults to `/var/run/secrets/countersign/token`.
 */
export function kubernetesToken(path: string = PROJECTED): SubjectTokenSource {
  return subjectTokenFile(path);
}
