import type { Breach, PolicyFacts, PolicyRule } from './policy-rule.ts';

/** A scope; without an API at every one that has it. */
export interface Duty {
  readonly resource_server?: string | undefined;
  readonly scope: string;
}

export interface SeparationOfDuties {
  readonly pairs: readonly { readonly one: Duty; readonly other: Duty }[];
  /** Who may not hold both: an identity, or all that one owner answers for together. */
  readonly across?: 'identity' | 'owner' | undefined;
}

/**
 * Acts at a write of an access and in the round; at issuance too, where one identity holds both. What others of the
 * same owner hold is not looked at for each token.
 */
export const separationOfDuties: PolicyRule<SeparationOfDuties> = {
  actsAt: ['write', 'issuance', 'round'],
  breaches(facts, { pairs, across = 'identity' }) {
    return pairs.flatMap(({ one, other }) => [
      ...conflicts(facts, one, other, across),
      ...conflicts(facts, other, one, across),
    ]);
  },
};

/** The accesses that hold `duty` while `against` is held as well. */
function conflicts(
  { access, elsewhere = [] }: PolicyFacts,
  duty: Duty,
  against: Duty,
  across: 'identity' | 'owner',
): readonly Breach[] {
  const within = access.some((held) => isHeld(against, held, names(held)));
  const others = across === 'owner' ? elsewhere.filter((held) => isHeld(against, held, held.scopes)) : [];
  if (!within && others.length === 0) return [];
  const by = within
    ? ''
    : `, which ${others
        .map(({ clientId }) => clientId)
        .slice(0, 3)
        .join(', ')} of the same owner holds`;
  return access
    .filter((held) => isHeld(duty, held, names(held)))
    .map(({ id }) => ({
      subject: 'access',
      subjectId: id,
      why: `holds ${duty.scope} together with ${against.scope}${by}`,
      scopes: [duty.scope],
    }));
}

function names({ scopes }: PolicyFacts['access'][number]): readonly string[] {
  return scopes.map(({ name }) => name);
}

function isHeld(
  { resource_server: resourceServer, scope }: Duty,
  held: { readonly resourceServer: string },
  scopes: readonly string[],
): boolean {
  return (resourceServer === undefined || resourceServer === held.resourceServer) && scopes.includes(scope);
}
