import type { Call, Snippet } from './call.ts';

export function typescriptSnippet(call: Call): Snippet {
  const trusting = call.caFile !== undefined;
  return {
    language: 'typescript',
    title: 'TypeScript (npm install @countersign/client)',
    code: [
      `import { readFileSync } from 'node:fs';`,
      `import { createClient${trusting ? ', fetchTrusting' : ''} } from '@countersign/client';`,
      ``,
      `const client = createClient({`,
      `  issuer: ${quoted(call.issuer)},`,
      `  clientId: ${quoted(call.clientId)},`,
      `  clientSecret: readFileSync(${quoted(call.secretFile)}, 'utf8').trim(),`,
      `  resource: ${quoted(call.resource)},`,
      `  scope: ${quoted(call.scope)},`,
      ...(trusting ? [`  fetch: fetchTrusting(readFileSync(${quoted(call.caFile)}, 'utf8')),`] : []),
      `});`,
      `const response = await client.fetch(${quoted(call.url)});`,
      `console.log(response.status, await response.text());`,
      `await client.close();`,
    ].join('\n'),
  };
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
