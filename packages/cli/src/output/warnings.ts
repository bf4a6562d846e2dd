import type { PolicyWarning } from '@countersign/admin-api';
import { type CliContext, say } from '../context.ts';

/** What policies warn of in the answer to a write, on stderr. */
export function sayWarnings({ host }: Pick<CliContext, 'host'>, body: unknown): void {
  const { warnings = [] } = body as { readonly warnings?: readonly PolicyWarning[] };
  for (const { policy, rule, subject, why } of warnings) {
    say(host, `Warning: the ${subject.kind} ${why}: policy "${policy}" (${rule})`);
  }
}
