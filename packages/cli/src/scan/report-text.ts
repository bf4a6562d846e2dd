// SARIF 2.1.0 (OASIS): what code hosts show beside the line.
import { type Finding, placeText } from './finding.ts';
import { SECRET_PATTERNS } from './secret-pattern.ts';

/** What programs are told of one finding; the secret itself is not in it. */
export function findingView({ found, place }: Finding): Readonly<Record<string, unknown>> {
  return {
    kind: found.pattern.id,
    name: found.pattern.name,
    ours: found.pattern.ours === true,
    secret: found.masked,
    fingerprint: found.fingerprint,
    where: placeText(place),
    place,
  };
}

export function sarifOf(findings: readonly Finding[], version: string): object {
  const used = SECRET_PATTERNS.filter(({ id }) => findings.some(({ found }) => found.pattern.id === id));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'countersign scan',
            version,
            rules: used.map(({ id, name }) => ({
              id,
              name,
              shortDescription: { text: name },
              defaultConfiguration: { level: 'error' },
            })),
          },
        },
        results: findings.map(({ found, place }) => ({
          ruleId: found.pattern.id,
          level: 'error',
          message: { text: `${found.pattern.name} ${found.masked} in ${placeText(place)}` },
          locations: [locationOf(place)],
          partialFingerprints: { 'secretSha256/v1': found.fingerprint },
        })),
      },
    ],
  };
}

function locationOf(place: Finding['place']): object {
  if (place.kind === 'environment') {
    return { logicalLocations: [{ name: place.name, kind: 'variable' }] };
  }
  return {
    physicalLocation: {
      artifactLocation: { uri: encodeURI(place.path.replaceAll('\\', '/')) },
      region: { startLine: place.line },
    },
  };
}
