// A press, a control room that looks at it, and a maintenance laptop that may change it for a while.
import { access, document, identityWithSecret } from '../stage/telling.mjs';

export const PRESS = 'urn:factory.example:press-7';
/** The names in their certificates, which are their ApplicationUris. */
export const NAMES = {
  'press-7': 'spiffe://localhost/device/press-7',
  scada: 'spiffe://localhost/device/scada',
  maintenance: 'spiffe://localhost/device/maintenance',
};
/** Seconds. So short that a story can wait for the next one. */
const TOKEN_LIFETIME = 10;

/** The press asks for no token: it has a certificate, and takes those of others. */
const press = document('Identity', 'press-7', {
  kind: 'device',
  environment: 'prod',
  purpose: 'presses doors',
  owner: { person: 'ada@example.com', team: 'factory' },
  expires_in: '365d',
});

const atThePress = (identity, scopes, justification) => {
  const declared = access(identity, PRESS, scopes, justification);
  return { ...declared, spec: { ...declared.spec, token_lifetime: TOKEN_LIFETIME } };
};

export const documents = () => [
  document('ResourceServer', 'press-7', {
    identifier: PRESS,
    scopes: [
      { name: 'opcua.read', description: 'see what it does' },
      { name: 'opcua.write', description: 'set its values' },
    ],
  }),
  press,
  ...identityWithSecret('scada', { kind: 'device', purpose: 'shows the hall to the control room' }),
  atThePress('scada', ['opcua.read'], 'the control room sees every machine'),
  ...identityWithSecret('maintenance', { kind: 'device', purpose: 'the laptop on the trolley' }),
  atThePress('maintenance', ['opcua.read', 'opcua.write'], 'order 4711: the press is too fast'),
];
