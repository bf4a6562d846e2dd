import type { PolicyRule } from './policy-rule.ts';

/** Which APIs are of which environment: identifiers, or what they begin with before a `*`. Others are of none. */
export interface NoCrossEnvironment {
  readonly environments: Readonly<Partial<Record<string, readonly string[]>>>;
}

/** Acts at a write of an access or of an identity's environment, at issuance and in the round. */
export const noCrossEnvironment: PolicyRule<NoCrossEnvironment> = {
  actsAt: ['write', 'issuance', 'round'],
  breaches({ identity, access }, { environments }) {
    return access.flatMap(({ id, resourceServer }) => {
      const of = Object.keys(environments).filter((each) =>
        environments[each]?.some((name) => isNamed(name, resourceServer)),
      );
      if (of.length === 0 || of.includes(identity.environment)) return [];
      const why = `reaches from ${identity.environment} into ${of.join(', ')}: ${resourceServer}`;
      return [{ subject: 'access', subjectId: id, why }];
    });
  },
};

function isNamed(name: string, resourceServer: string): boolean {
  return name.endsWith('*') ? resourceServer.startsWith(name.slice(0, -1)) : name === resourceServer;
}
