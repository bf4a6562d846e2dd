import type { AccessFacts } from '../../registry/facts.ts';
import type { Observation } from '../../registry/finding.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { ScopeDefinition } from '../../storage/resource-servers.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableAccess, usableCredentials } from './usable.ts';

const SENSITIVE = 2;
const MOST_SENSITIVE = 3;

/** More than anybody is likely to need: every scope of an API that has sensitive ones, or an API key without limits. */
export const wideAccess: Detector = {
  kind: 'wide_access',
  quietMs: 0,
  observe(facts, { now }) {
    const { builtIn, clientId } = facts.identity;
    return [
      // The built-in admin is there to do everything.
      ...(builtIn ? [] : usableAccess(facts, now).flatMap(everyScope)),
      ...usableCredentials(facts, now).flatMap((each) => withoutLimits(each, clientId)),
    ];
  },
};

function everyScope({ access, resourceServer }: AccessFacts): readonly Observation[] {
  const { scopes, identifier } = resourceServer;
  const most = Math.max(...scopes.map((scope) => scope.sensitivity));
  if (scopes.length < 2 || most < SENSITIVE) return [];
  if (!scopes.every((scope) => access.scopes.includes(scope.name))) return [];
  return [
    {
      subject: 'access',
      subjectId: access.id,
      severity: most >= MOST_SENSITIVE ? 'high' : 'medium',
      reason: `holds every scope of ${identifier}: ${scopes.map((scope) => scope.name).join(' ')}`,
      fix: command('access', 'update', access.id, '--scopes', leastOf(scopes)),
    },
  ];
}

/** What is left when the most sensitive ones are taken away: a proposal, for only its owner knows what it needs. */
function leastOf(scopes: readonly ScopeDefinition[]): string {
  const most = Math.max(...scopes.map((scope) => scope.sensitivity));
  const less = scopes.filter((scope) => scope.sensitivity < most);
  return (less.length === 0 ? scopes.slice(0, 1) : less).map((scope) => scope.name).join(',');
}

function withoutLimits(credential: CredentialRecord, clientId: string): readonly Observation[] {
  const { material } = credential;
  if (material.type !== 'api_key') return [];
  if (material.resourceServerId !== undefined || material.scopes !== undefined) return [];
  const example = ['--resource-server', 'https://api.example', '--scopes', 'read'];
  const place = ['--secret-file', `${clientId}-next.key`];
  const limited = command('credentials', 'create', clientId, '--type', 'api_key', ...example, ...place);
  return [
    {
      subject: 'credential',
      subjectId: credential.id,
      severity: 'medium',
      reason: 'an API key that opens every API its identity has access to, with all its scopes',
      fix: limited,
    },
  ];
}
