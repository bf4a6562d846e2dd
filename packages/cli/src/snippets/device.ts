import { ACE, encodeCbor } from '@countersign/cose';
import type { Call, SecretCall, Snippet } from './call.ts';
import { shell } from './curl.ts';

/**
 * A device asks in CBOR (RFC 9200 §5.8.1). The request is written out: nothing in it is a secret, which goes beside it as everywhere
 * else. The answer is CBOR too, so curl keeps it and a program reads it.
 */
export function deviceCurlSnippet(call: Call): Snippet {
  const trust = call.caFile === undefined ? '' : ` --cacert ${shell(call.caFile)}`;
  const { proof } = call;
  const asking = (flags: string): readonly string[] => [
    `curl --silent --show-error --fail${trust} ${flags}--header 'Content-Type: application/ace+cbor' \\`,
    `    --data-binary @request.cbor --output answer.cbor ${shell(call.tokenEndpoint)}`,
  ];
  const lines =
    proof.by === 'certificate'
      ? asking(`--cert ${shell(proof.certificate)} --key ${shell(proof.key)} `)
      : [
          `printf 'user = "%s:%s"' ${shell(call.clientId)} "$(cat ${shell(proof.by === 'secret' ? proof.file : '')})" |`,
          ...asking('--config - ').map((line, index) => (index === 0 ? `  ${line}` : line)),
        ];
  return {
    language: 'curl',
    title: 'curl (the answer is CBOR: 1 the token, 2 its seconds, 8 the key; docs/guide/coap.md)',
    code: [`printf '${printfText(request(call))}' > request.cbor`, ...lines].join('\n'),
  };
}

/** The whole: from the request to the two commands of libcoap that use what came of it. */
export function deviceScriptSnippet(call: SecretCall): Snippet {
  const { caFile, resource, scope } = call;
  const host = /^coaps?:\/\/([A-Za-z0-9.:[\]-]+)/.exec(resource)?.[1] ?? 'device.example';
  return {
    language: 'typescript',
    title: 'JavaScript (@countersign/cose), and then libcoap (Debian: libcoap3-bin)',
    code: [
      `import { readFileSync, writeFileSync } from 'node:fs';`,
      ...(caFile === undefined ? [] : [`import { fetchTrusting } from '@countersign/client';`]),
      `import { ACE, decodeStrict, encodeCbor, pskIdentity } from '@countersign/cose';`,
      ``,
      ...(caFile === undefined
        ? []
        : [`const fetch = fetchTrusting(readFileSync(${quoted(caFile)}, 'utf8'));`]),
      `const secret = readFileSync(${quoted(call.proof.file)}, 'utf8').trim();`,
      `const basic = Buffer.from(\`${call.clientId}:\${secret}\`).toString('base64');`,
      `const response = await fetch(${quoted(call.tokenEndpoint)}, {`,
      `  method: 'POST',`,
      `  headers: { authorization: \`Basic \${basic}\`, 'content-type': 'application/ace+cbor' },`,
      `  body: encodeCbor(new Map([[ACE.audience, ${quoted(resource)}], [ACE.scope, ${quoted(scope)}]])),`,
      `});`,
      `const read = decodeStrict(new Uint8Array(await response.arrayBuffer()), { maxBytes: 4096, maxDepth: 6 });`,
      `if (!response.ok || !read.ok) throw new Error(\`no token: \${response.status}\`);`,
      `const key = read.value.get(ACE.cnf).get(1);`,
      `writeFileSync('token.cwt', read.value.get(ACE.accessToken));`,
      `writeFileSync('identity', pskIdentity(key.get(2)));`,
      `writeFileSync('key', key.get(-1), { mode: 0o600 });`,
      `// coap-client-notls -m post -t 61 -f token.cwt coap://${host}/authz-info`,
      `// coap-client-openssl -u "$(cat identity)" -k "$(cat key)" coaps://${host}/`,
    ].join('\n'),
  };
}

/** By certificate the client is named in the body, for no header names it. */
function request({ resource, scope, clientId, proof }: Call): Uint8Array {
  const members = new Map<number, string>([
    [ACE.audience, resource],
    [ACE.scope, scope],
  ]);
  if (proof.by === 'certificate') members.set(ACE.clientId, clientId);
  return encodeCbor(members);
}

/** What every shell's printf turns into these bytes. */
function printfText(bytes: Uint8Array): string {
  return [...bytes]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9:/._ -]/.test(char) ? char : `\\${byte.toString(8).padStart(3, '0')}`;
    })
    .join('');
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
