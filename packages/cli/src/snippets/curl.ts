import type { Call, Snippet } from './call.ts';

/**
 * The secret goes through a config on stdin (RFC 6749 §2.3.1 by `client_secret_basic`), because an argument could be
 * read by every user of the machine. Ids and secrets have no character that Basic would need encoded.
 */
export function curlSnippet(call: Call): Snippet {
  const trust = call.caFile === undefined ? '' : ` --cacert ${shell(call.caFile)}`;
  return {
    language: 'curl',
    title: 'curl',
    code: [
      `TOKEN=$(printf 'user = "%s:%s"' ${shell(call.clientId)} "$(cat ${shell(call.secretFile)})" |`,
      `  curl --silent --show-error --fail${trust} --config - ${shell(call.tokenEndpoint)} \\`,
      `    --data grant_type=client_credentials \\`,
      `    --data-urlencode ${shell(`resource=${call.resource}`)} \\`,
      `    --data-urlencode ${shell(`scope=${call.scope}`)} |`,
      `  sed -E 's/.*"access_token" *: *"([^"]+)".*/\\1/')`,
      ``,
      `printf 'header = "Authorization: Bearer %s"' "$TOKEN" |`,
      `  curl --silent --show-error --config - ${shell(call.url)}`,
    ].join('\n'),
  };
}

function shell(text: string): string {
  return /^[A-Za-z0-9_./:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
