// An MCP server is a resource server like any other; who calls its tools is an identity with an owner and an end.
import { access, document, identityWithSecret } from '../stage/telling.mjs';

/** What tools of the server need. */
export const SCOPES = ['cases:read', 'cases:close'];

/**
 * Two agents: one with a secret, one that proves itself by a key.
 * @param {string} cases the audience of the server's tokens, which is its address, as the MCP specification wants it
 * @param {object} jwk the public key of `audit-agent`
 */
export const documents = (cases, jwk) => [
  document('ResourceServer', 'cases', {
    identifier: cases,
    scopes: [
      { name: 'cases:read', description: 'look cases up' },
      { name: 'cases:close', description: 'close cases', sensitivity: 2 },
    ],
  }),
  ...identityWithSecret('triage-agent', { kind: 'agent', purpose: 'sorts incoming cases' }),
  document('Identity', 'audit-agent', {
    kind: 'agent',
    environment: 'dev',
    purpose: 'looks at how cases were sorted',
    owner: { person: 'ada@example.com', team: 'examples' },
    expires_in: '90d',
  }),
  document('Credential', 'key of audit-agent', {
    identity: 'audit-agent',
    type: 'private_key_jwt',
    jwk,
    expires_in: '90d',
  }),
  access('triage-agent', cases, ['cases:read'], 'reads to sort; people close'),
  access('audit-agent', cases, ['cases:read'], 'reads what was sorted'),
];
