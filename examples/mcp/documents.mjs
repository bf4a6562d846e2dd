// An MCP server is a resource server like any other; who calls its tools is an identity with an owner and an end.
import { access, document, identityWithSecret } from '../stage/telling.mjs';

/** The audience of its tokens. In production it is the address of the endpoint, as the MCP specification wants it. */
export const CASES = 'https://cases.example/mcp';

export const documents = () => [
  document('ResourceServer', 'cases', {
    identifier: CASES,
    scopes: [
      { name: 'cases:read', description: 'look cases up' },
      { name: 'cases:close', description: 'close cases', sensitivity: 2 },
    ],
  }),
  ...identityWithSecret('triage-agent', { kind: 'agent', purpose: 'sorts incoming cases' }),
  access('triage-agent', CASES, ['cases:read'], 'reads to sort; people close'),
];
