import type { Finding } from './finding.ts';
import { findSecrets } from './find-secrets.ts';

/** Looks through the values of the environment: every process that is started inherits them. */
export function* scanEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  now: number,
): Generator<Finding> {
  for (const name of Object.keys(env).sort()) {
    for (const found of findSecrets(env[name] ?? '', now))
      yield { found, place: { kind: 'environment', name } };
  }
}
