import { ENOUGH } from '../../registry/use/answer.ts';
import { type AccessUse, useOfAccess } from '../../registry/use/read-use.ts';
import { type AccessUsageView, accessUsageView } from '../../registry/use/view.ts';
import { STANDING_SCOPES } from '../../registry/stands-for.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { Stores } from '../../storage/storage.ts';

/** The use of an access as a reviewer sees it. */
export interface ReviewUse extends AccessUsageView {
  unknown_because: Record<string, string>;
}

export async function reviewUses(
  stores: Pick<Stores, 'usage' | 'usageReporters' | 'coverage'>,
  records: readonly AccessRecord[],
  now: number,
  within: number,
): Promise<ReadonlyMap<string, ReviewUse>> {
  const uses = await useOfAccess(stores, records, now, within);
  return new Map([...uses].map(([id, use]) => [id, viewOf(use)]));
}

function viewOf(use: AccessUse): ReviewUse {
  const unknown = use.scopes.filter(({ answer }) => answer === 'unknown');
  return {
    ...accessUsageView(use),
    unknown_because: Object.fromEntries(unknown.map(({ scope }) => [scope, whyUnknown(use, scope)])),
  };
}

const AT_AUTHORITY: ReadonlySet<string> = new Set(Object.values(STANDING_SCOPES));

/** Why nobody can say that it was not used. */
export function whyUnknown({ coverage }: Pick<AccessUse, 'coverage'>, scope: string): string {
  if (AT_AUTHORITY.has(scope)) return 'it is exercised at the authority, where no resource server sees it';
  if (coverage === 0) return 'its resource server told nothing of this time';
  if (coverage < ENOUGH)
    return `its resource server told of ${Math.floor(coverage * 100)} % of this time only`;
  return 'its resource server, or a copy of it, tells nothing now';
}
