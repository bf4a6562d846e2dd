import { type TraceDeps, traceToken } from '../trace/trace.ts';
import type { NounHandlers } from './endpoint.ts';
import { ProblemError } from './problem.ts';

export function traceHandlers(deps: TraceDeps): NounHandlers<'tokens'> {
  return {
    'tokens.trace': {
      kind: 'read',
      async run({ params }) {
        const traced = await traceToken(deps, params.jti);
        if (traced !== undefined) return { body: traced };
        throw new ProblemError('not_found', {
          detail: 'no event says that a token with this jti was issued',
        });
      },
    },
  };
}
