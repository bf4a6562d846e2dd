import type { Call, CallProof, Snippet, SubjectTokenPlace } from './call.ts';

export function typescriptSnippet(call: Call): Snippet {
  const { caFile, proof } = call;
  // A certificate brings a connection of its own, which is told whom to trust beside it.
  const byFetch = caFile !== undefined && proof.by !== 'certificate';
  const source = proof.by === 'subject_token' ? SOURCES[proof.place] : undefined;
  const names = ['createClient', ...(byFetch ? ['fetchTrusting'] : []), ...(source ? [source.name] : [])];
  const readsFile = byFetch || proof.by !== 'subject_token';
  return {
    language: 'typescript',
    title: 'TypeScript (@countersign/client)',
    code: [
      ...(readsFile ? [`import { readFileSync } from 'node:fs';`] : []),
      `import { ${names.join(', ')} } from '@countersign/client';`,
      ``,
      `const client = createClient({`,
      `  issuer: ${quoted(call.issuer)},`,
      ...(source === undefined ? [`  clientId: ${quoted(call.clientId)},`] : []),
      ...proofLines(proof, caFile),
      `  resource: ${quoted(call.resource)},`,
      `  scope: ${quoted(call.scope)},`,
      ...(byFetch ? [`  fetch: fetchTrusting(${read(caFile)}),`] : []),
      `});`,
      `const response = await client.fetch(${quoted(call.url)});`,
      `console.log(response.status, await response.text());`,
      `await client.close();`,
    ].join('\n'),
  };
}

const SOURCES: {
  readonly [place in SubjectTokenPlace]: { readonly name: string; call(file: string): string };
} = {
  github_actions: { name: 'githubActionsToken', call: () => 'githubActionsToken()' },
  gitlab: { name: 'gitlabToken', call: () => "gitlabToken('COUNTERSIGN_TOKEN')" },
  kubernetes: { name: 'kubernetesToken', call: () => 'kubernetesToken()' },
  file: { name: 'subjectTokenFile', call: (file) => `subjectTokenFile(${quoted(file)})` },
};

function proofLines(proof: CallProof, caFile: string | undefined): readonly string[] {
  switch (proof.by) {
    case 'secret':
      return [`  clientSecret: ${read(proof.file)}.trim(),`];
    case 'key':
      return [`  privateKey: ${read(proof.key)},`];
    case 'certificate':
      return [
        `  certificate: {`,
        `    cert: ${read(proof.certificate)},`,
        `    key: ${read(proof.key)},`,
        ...(caFile === undefined ? [] : [`    ca: ${read(caFile)},`]),
        `  },`,
      ];
    case 'subject_token':
      return [`  subjectToken: ${SOURCES[proof.place].call(proof.file)},`];
  }
}

function read(file: string): string {
  return `readFileSync(${quoted(file)}, 'utf8')`;
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
