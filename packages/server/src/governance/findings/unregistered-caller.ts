import type { UnregisteredCallerRecord } from '../../storage/unregistered-callers.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** Callers that a reason names; of more it says how many. */
const MOST_NAMED = 3;
const LONGEST_NAME = 80;

/**
 * An API that lets in callers behind whom there is no identity: tokens of another issuer, or of this one with a credential that
 * nobody knows. It is a finding of the identity that reports for the API, for its owner knows who they are.
 */
export const unregisteredCaller: Detector = {
  kind: 'unregistered_caller',
  quietMs: 0,
  observe({ identity }, { unregistered }) {
    return (unregistered.get(identity.id) ?? []).map(({ resourceServer, callers }) => {
      const ours = callers.some(({ issuer }) => issuer === '');
      const named = callers.slice(0, MOST_NAMED).map(nameOf).join(', ');
      const more = callers.length > MOST_NAMED ? ` and ${callers.length - MOST_NAMED} more` : '';
      return {
        subject: 'resource_server' as const,
        subjectId: resourceServer.id,
        // A token of ours that leads to nobody is no matter of moving over gradually.
        severity: ours ? ('high' as const) : ('medium' as const),
        reason: `${resourceServer.identifier} lets in callers that no identity stands behind: ${named}${more}`,
        fix: command(
          'connect',
          'NAME',
          '--to',
          resourceServer.identifier,
          '--scopes',
          'SCOPES',
          '--owner',
          'PERSON',
          '--for',
          '90d',
        ),
      };
    });
  },
};

function nameOf({ issuer, caller }: UnregisteredCallerRecord): string {
  const whose = issuer === '' ? `the unknown caller ${caller}` : `${caller} of ${issuer}`;
  return whose.length > LONGEST_NAME ? `${whose.slice(0, LONGEST_NAME)}…` : whose;
}
