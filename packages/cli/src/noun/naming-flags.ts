import { failureOf } from '../exit-code.ts';
import type { ContractFlags } from './contract-flags.ts';

/** Does the work; what the authority does not accept is called by the flag that said it, not by the member of its API. */
export async function namingFlags<T>(
  { flagOf }: Pick<ContractFlags, 'flagOf'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = failureOf(error, flagOf);
    throw failure.kind === 'usage' ? failure : error;
  }
}
