import type { Call, CallProof, Snippet, SubjectTokenPlace } from './call.ts';

/**
 * Secrets and tokens go through a config or data on stdin, because an argument could be read by every user of the
 * machine. Ids and secrets have no character that Basic (RFC 6749 §2.3.1) would need encoded.
 */
export function curlSnippet(call: Call): Snippet {
  return {
    language: 'curl',
    title: call.proof.by === 'key' ? 'curl, with countersign to sign' : 'curl',
    code: [
      ...tokenLines(call),
      ``,
      `printf 'header = "Authorization: Bearer %s"' "$TOKEN" |`,
      `  curl --silent --show-error --config - ${shell(call.url)}`,
    ].join('\n'),
  };
}

function tokenLines(call: Call): readonly string[] {
  const { proof } = call;
  switch (proof.by) {
    case 'secret':
      return [
        `TOKEN=$(printf 'user = "%s:%s"' ${shell(call.clientId)} "$(cat ${shell(proof.file)})" |`,
        ...request(call, '--config - ', [`--data grant_type=client_credentials`]),
      ];
    case 'key':
      return [
        `TOKEN=$(countersign token get --issuer ${shell(call.issuer)}${call.caFile === undefined ? '' : ` --ca-file ${shell(call.caFile)}`} \\`,
        `  --client-id ${shell(call.clientId)} --private-key-file ${shell(proof.key)} \\`,
        `  --resource ${shell(call.resource)} --scope ${shell(call.scope)})`,
      ];
    case 'certificate': {
      const [first = '', ...rest] = request(
        call,
        `--cert ${shell(proof.certificate)} --key ${shell(proof.key)} `,
        [`--data grant_type=client_credentials`, `--data-urlencode ${shell(`client_id=${call.clientId}`)}`],
      );
      return [`TOKEN=$(${first.trimStart()}`, ...rest];
    }
    case 'subject_token':
      return [
        `TOKEN=$(${subjectToken(proof, call.issuer)} | tr -d '\\n' |`,
        ...request(call, '', [
          `--data-urlencode grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`,
          `--data-urlencode assertion@-`,
        ]),
      ];
  }
}

function request(call: Call, flags: string, parameters: readonly string[]): readonly string[] {
  const trust = call.caFile === undefined ? '' : ` --cacert ${shell(call.caFile)}`;
  return [
    `  curl --silent --show-error --fail${trust} ${flags}${shell(call.tokenEndpoint)} \\`,
    ...parameters.map((each) => `    ${each} \\`),
    `    --data-urlencode ${shell(`resource=${call.resource}`)} \\`,
    `    --data-urlencode ${shell(`scope=${call.scope}`)} |`,
    `  sed -E 's/.*"access_token" *: *"([^"]+)".*/\\1/')`,
  ];
}

function subjectToken({ place, file }: Extract<CallProof, { by: 'subject_token' }>, issuer: string): string {
  const sources: { readonly [each in SubjectTokenPlace]: string } = {
    file: `cat ${shell(file)}`,
    kubernetes: `cat /var/run/secrets/countersign/token`,
    gitlab: `printf %s "$COUNTERSIGN_TOKEN"`,
    github_actions: [
      `printf 'header = "Authorization: Bearer %s"' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" |`,
      `  curl --silent --show-error --fail --config - "$ACTIONS_ID_TOKEN_REQUEST_URL&audience="${shell(issuer)} |`,
      `  sed -E 's/.*"value" *: *"([^"]+)".*/\\1/'`,
    ].join('\n'),
  };
  return sources[place];
}

export function shell(text: string): string {
  return /^[A-Za-z0-9_./:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
