import type { Position } from '../../storage/page.ts';
import type { Stores } from '../../storage/storage.ts';
import type { ApprovalDeps } from '../approval/request.ts';

/** `auto`: once there is somebody who could accept, because people can sign in. */
export type AcceptanceSetting = 'auto' | 'required' | 'off';

/** Whether somebody becomes accountable by accepting only. Asked in the transaction that would make them so. */
export type OwnerAcceptance = (stores: Pick<Stores, 'trustedIssuers'>) => Promise<boolean>;

/** What the rules of ownership are given besides their stores. */
export interface OwnerDeps extends ApprovalDeps {
  readonly ownerAcceptance: OwnerAcceptance;
}

export function ownerAcceptance(setting: AcceptanceSetting): OwnerAcceptance {
  if (setting !== 'auto') return () => Promise.resolve(setting === 'required');
  return async (stores) => {
    let after: Position | undefined;
    do {
      const page = await stores.trustedIssuers.list({}, { limit: 200, after });
      if (page.items.some(({ kind, state }) => (kind as string) === PEOPLE && state === 'active'))
        return true;
      after = page.next;
    } while (after !== undefined);
    return false;
  };
}

/** Kind of the trusted issuer through which people sign in. */
const PEOPLE = 'people';
